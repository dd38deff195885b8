"""Networks: every family from the same small layers, each with a stem, stages and a head."""

from convscope.models.auxiliary import with_auxiliary_loss, without_auxiliary
from convscope.models.encoder_decoder import DenseNetwork
from convscope.models.families.airbench import begins_whitened, whiten
from convscope.models.network import Network, Outputs
from convscope.models.pretrained.download import load_pretrained
from convscope.models.pretrained.state_dicts import Loaded
from convscope.models.registry import MODELS, Architecture, build, resolve
from convscope.models.summary.model_summary import Anatomy, table
from convscope.models.summary.summarize import dissect
from convscope.models.toml.toml_network import read_spec

__all__ = [
    "MODELS",
    "Anatomy",
    "Architecture",
    "DenseNetwork",
    "Loaded",
    "Network",
    "Outputs",
    "begins_whitened",
    "build",
    "dissect",
    "load_pretrained",
    "read_spec",
    "resolve",
    "table",
    "whiten",
    "with_auxiliary_loss",
    "without_auxiliary",
]
