"""The exceptions of convscope.

    ConvscopeError
    ├── ConfigError     a setting, flag or argument
    ├── DataError       the user's files
    ├── ModelError      a network that cannot be built, or a model file that cannot be opened
    ├── RunError        a run folder
    └── TrainingError   training: a non-finite loss, out of memory

A message has the form *place: what is wrong, with the value; what to do*. The command line prints it as one line
and exits with code 2; any other exception is a bug and shows its traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST_WORD = 200  # characters that are compared: the time grows with the square of the length


class ConvscopeError(Exception):
    """The base class of all errors that convscope raises deliberately."""


class ConfigError(ConvscopeError):
    """A setting, flag or argument is invalid."""


class DataError(ConvscopeError):
    """The user's files are missing or invalid."""


class ModelError(ConvscopeError):
    """A network cannot be built, or a model file cannot be opened."""


class RunError(ConvscopeError):
    """A run folder is missing, incomplete or in use."""


class LockedError(RunError):
    """Another process works on a run folder."""


class TrainingError(ConvscopeError):
    """Training cannot continue."""


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word most similar to an unknown one; None where none is similar.

    >>> closest("adamm", ["sgd", "adam", "adamw"])
    'adam'
    """
    return next(iter(get_close_matches(word[:LONGEST_WORD], sorted(known), n=1, cutoff=0.6)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean X?"`` with the most similar known word, else the list of known words.

    >>> did_you_mean("adamm", ["sgd", "adam", "adamw"])
    '; did you mean adam?'
    >>> did_you_mean("zzz", ["sgd", "adam"])
    '; choose one of adam, sgd'
    """
    names = sorted(known)
    close = closest(word, names)
    return f"; did you mean {close}?" if close else f"; choose one of {', '.join(names)}"
