"""The explorer: a web page that shows a run's network and images, served locally."""

from convscope.explorer.app import application
from convscope.explorer.serve import serve
from convscope.explorer.session import Session

__all__ = ["Session", "application", "serve"]
