"""Interpretability for any `nn.Module`: plain functions of a network, a layer name and preprocessed images."""

from convscope.explainers.arithmetic import Unit, unit
from convscope.explainers.attribution.attribution import Attribution
from convscope.explainers.attribution.grad_cam import (
    WEIGHTINGS,
    class_map,
    grad_cam,
    grad_cam_plus_plus,
    hires_cam,
    layer_cam,
)
from convscope.explainers.attribution.gradients import (
    IntegrationSettings,
    NoiseSettings,
    input_gradients,
    integrated_gradients,
    smooth_grad,
)  # fmt: skip
from convscope.explainers.attribution.occlusion import OcclusionSettings, occlusion
from convscope.explainers.attribution.sanity import (
    CascadingRandomisation,
    Pointing,
    cascade,
    pointing_game,
    rank_correlation,
)
from convscope.explainers.drawing import enlarge, grid, kernel_tile, map_tile, overlay, thumbnails, tile
from convscope.explainers.features.activations import Activations, activations
from convscope.explainers.features.filters import (
    Filters,
    FilterSettings,
    Smoothness,
    filters,
    first_convolution,
    smoothness,
)
from convscope.explainers.features.gates import Gates, gate_layers, gates
from convscope.explainers.features.layer_probes import LayerProbe, probe_layers, suggest_from_probes
from convscope.explainers.features.neighbours import (
    LookAlike,
    Neighbours,
    feature_vectors,
    look_alikes,
    map_2d,
    nearest,
    pixel_vectors,
    purity,
)  # fmt: skip
from convscope.explainers.features.probe import (
    baseline_scores,
    extrapolate_to_double,
    learning_curve,
    mel_mean_score,
    probe_scores,
)
from convscope.explainers.features.snapshots import (
    Snapshots,
    SnapshotSettings,
    forget_snapshots,
    read_snapshots,
    save_snapshot,
    strip,
    write_gif,
)
from convscope.explainers.features.stimuli import Stimuli, crop_patch, stimuli
from convscope.explainers.features.word_pairs import WORD_CLASSIFIERS, word_pair_score
from convscope.explainers.hooks import Record, find_layer, record
from convscope.explainers.module_tree import ModuleNode, ModuleTree, module_tree
from convscope.explainers.quantize import downsample, quantised
from convscope.explainers.receptive_field import ReceptiveField, receptive_field
from convscope.explainers.suggestions import (
    Removal,
    Suggestion,
    removal_costs,
    suggest_from_field,
    suggest_from_filters,
    suggest_from_norms,
    suggest_from_removals,
    suggest_from_stimuli,
)  # fmt: skip
from convscope.explainers.synthesis.image_params import PixelSpace
from convscope.explainers.synthesis.image_statistics import ImageStatistics, image_statistics
from convscope.explainers.synthesis.invert import Inversion, InversionSettings, invert
from convscope.explainers.synthesis.maximise import (
    CONTEXT_LIMITATION,
    MaximisedImages,
    channel_maxima,
    maximise_channels,
    maximise_classes,
    maximise_directions,
    maximise_layer,
    maximise_neurons,
)  # fmt: skip
from convscope.explainers.synthesis.objectives import Objective
from convscope.explainers.synthesis.optimise import OptimisationSettings, OptimisedImages, optimise
from convscope.explainers.synthesis.transforms import Transforms

__all__ = [
    "CONTEXT_LIMITATION",
    "WEIGHTINGS",
    "WORD_CLASSIFIERS",
    "Activations",
    "Attribution",
    "CascadingRandomisation",
    "FilterSettings",
    "Filters",
    "Gates",
    "ImageStatistics",
    "IntegrationSettings",
    "Inversion",
    "InversionSettings",
    "LayerProbe",
    "LookAlike",
    "MaximisedImages",
    "ModuleNode",
    "ModuleTree",
    "Neighbours",
    "NoiseSettings",
    "Objective",
    "OcclusionSettings",
    "OptimisationSettings",
    "OptimisedImages",
    "PixelSpace",
    "Pointing",
    "ReceptiveField",
    "Record",
    "Removal",
    "Smoothness",
    "SnapshotSettings",
    "Snapshots",
    "Stimuli",
    "Suggestion",
    "Transforms",
    "Unit",
    "activations",
    "baseline_scores",
    "cascade",
    "channel_maxima",
    "class_map",
    "crop_patch",
    "downsample",
    "enlarge",
    "extrapolate_to_double",
    "feature_vectors",
    "filters",
    "find_layer",
    "first_convolution",
    "forget_snapshots",
    "gate_layers",
    "gates",
    "grad_cam",
    "grad_cam_plus_plus",
    "grid",
    "hires_cam",
    "image_statistics",
    "input_gradients",
    "integrated_gradients",
    "invert",
    "kernel_tile",
    "layer_cam",
    "learning_curve",
    "look_alikes",
    "map_2d",
    "map_tile",
    "maximise_channels",
    "maximise_classes",
    "maximise_directions",
    "maximise_layer",
    "maximise_neurons",
    "mel_mean_score",
    "module_tree",
    "nearest",
    "occlusion",
    "optimise",
    "overlay",
    "pixel_vectors",
    "pointing_game",
    "probe_layers",
    "probe_scores",
    "purity",
    "quantised",
    "rank_correlation",
    "read_snapshots",
    "receptive_field",
    "record",
    "removal_costs",
    "save_snapshot",
    "smooth_grad",
    "smoothness",
    "stimuli",
    "strip",
    "suggest_from_field",
    "suggest_from_filters",
    "suggest_from_norms",
    "suggest_from_probes",
    "suggest_from_removals",
    "suggest_from_stimuli",
    "thumbnails",
    "tile",
    "unit",
    "word_pair_score",
    "write_gif",
]
