"""Where something listens."""

from __future__ import annotations

__all__ = ["Endpoint"]


class Endpoint:
    """What listens on an address of this machine.

    Attributes:
        host: The address that it listens on.
        port: The port.
    """

    host: str
    port: int

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, as ``socket.create_connection`` wants them."""
        return self.host, self.port
