"""Networks: every family from the same small layers, each with a stem, stages and a head."""

from convscope.models.airbench import begins_whitened, whiten
from convscope.models.anatomy import Anatomy, table
from convscope.models.auxiliary import with_auxiliary_loss, without_auxiliary
from convscope.models.catalogue import MODELS, Architecture, build, resolve
from convscope.models.dense import DenseNetwork
from convscope.models.dissect import dissect
from convscope.models.fetch import pretrained
from convscope.models.network import Network, Outputs
from convscope.models.spec import read_spec
from convscope.models.weights import Loaded

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
    "pretrained",
    "read_spec",
    "resolve",
    "table",
    "whiten",
    "with_auxiliary_loss",
    "without_auxiliary",
]
