"""Settings of the prediction server."""

from pydantic import BaseModel, Field

from convscope.exported.runtimes import Runtime

PORT = 8080


class ServerSettings(BaseModel, frozen=True, extra="forbid"):
    """How the server listens, and how much work it accepts."""

    host: str = Field("127.0.0.1", description="Address to bind; any other than loopback is reachable from outside.")
    port: int = Field(PORT, ge=0, le=65535, description="Port to listen on; 0: any free port.")
    workers: int = Field(1, ge=1, le=256, description="Processes that answer requests.")
    token: str = Field("", description="Token that clients send as `Authorization: Bearer TOKEN`; empty: none.")
    runtime: Runtime = Field("auto", description="What computes the networks of folders; see `Runtime`.")
    max_batch: int = Field(32, ge=1, le=1024, description="Largest number of images computed at once.")
    max_pending: int = Field(128, ge=1, le=65536, description="Images per model and process in work; more get 429.")
