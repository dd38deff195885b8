"""The prediction server: models over HTTP, with the answers of `convscope predict`."""

from convscope.server.settings import ServerSettings

__all__ = ["ServerSettings"]
