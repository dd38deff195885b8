"""The web explorer: a page on the user's own network and images, served by their own machine."""

from convscope.explorer.app import application
from convscope.explorer.serve import serve
from convscope.explorer.session import Session

__all__ = ["Session", "application", "serve"]
