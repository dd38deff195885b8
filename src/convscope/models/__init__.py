"""Network families, all built from the same layers and split into stem, stages and head."""

from convscope.models.auxiliary import remove_auxiliary, with_auxiliary_loss
from convscope.models.encoder_decoder import EncoderDecoder
from convscope.models.families.airbench import has_whitening_layer, whiten
from convscope.models.network import Network, Outputs
from convscope.models.pretrained.download import load_pretrained
from convscope.models.pretrained.state_dicts import LoadReport
from convscope.models.registry import MODELS, TOKEN_MODELS, Architecture, build, resolve
from convscope.models.summary.model_summary import ModelSummary, table
from convscope.models.summary.summarize import summarize
from convscope.models.toml.toml_network import read_spec

__all__ = [
    "MODELS",
    "TOKEN_MODELS",
    "Architecture",
    "EncoderDecoder",
    "LoadReport",
    "ModelSummary",
    "Network",
    "Outputs",
    "build",
    "has_whitening_layer",
    "load_pretrained",
    "read_spec",
    "remove_auxiliary",
    "resolve",
    "summarize",
    "table",
    "whiten",
    "with_auxiliary_loss",
]
