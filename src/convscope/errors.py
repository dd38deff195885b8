"""Everything convscope refuses to do, as one tree.

    ConvscopeError
    ├── ConfigError     a setting, flag or argument
    ├── DataError       the user's files
    ├── ModelError      a network that cannot be built, or a model file that cannot be opened
    ├── RunError        a run folder
    └── TrainingError   training itself: a loss that is no longer a number, memory

A message reads *place: what is wrong, with the value; what to do*. On the command line each is one line
and exit code 2; every other exception is a bug and shows its traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class ConvscopeError(Exception):
    """The root; catch it to catch everything that convscope says on purpose."""


class ConfigError(ConvscopeError):
    """A setting, flag or argument is wrong."""


class DataError(ConvscopeError):
    """The user's files are not what they need to be."""


class ModelError(ConvscopeError):
    """A network cannot be built, or a model file cannot be opened."""


class RunError(ConvscopeError):
    """A run folder is missing, incomplete or in use."""


class TrainingError(ConvscopeError):
    """Training cannot go on."""


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that comes closest to one that is not known; None where none comes close.

    >>> closest("adamm", ["sgd", "adam", "adamw"])
    'adam'
    """
    return next(iter(get_close_matches(word, sorted(known), n=1, cutoff=0.6)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean X?"`` for the closest known word, else the list of what is known.

    >>> did_you_mean("adamm", ["sgd", "adam", "adamw"])
    '; did you mean adam?'
    >>> did_you_mean("zzz", ["sgd", "adam"])
    '; choose one of adam, sgd'
    """
    names = sorted(known)
    close = closest(word, names)
    return f"; did you mean {close}?" if close else f"; choose one of {', '.join(names)}"
