"""Sockets that would stay open for nobody: idle ones whose peer is gone, cancelled TLS handshakes."""

import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

Trace = Callable[[str, Mapping[str, Any]], Awaitable[None]]

_PROBES = {"TCP_KEEPIDLE": 20, "TCP_KEEPALIVE": 20, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 2}
"""Seconds (the last a count) after which the kernel gives a silent connection up: half a minute."""


class _Stream(Protocol):
    async def aclose(self) -> None: ...


def keepalive_options() -> list[tuple[int, int, int]]:
    """Idle connections are probed, so that one which a sleep or a NAT killed leaves the pool."""
    return [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)] + [
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in _PROBES.items()
        if hasattr(socket, name)
    ]


def closing_handshakes() -> Trace:
    """For httpcore's `trace`: closes the socket when a TLS handshake is cancelled, which it forgets."""
    connected: list[_Stream] = []

    async def trace(event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(".connect_tcp.complete"):
            connected.append(info["return_value"])
        elif event.endswith(".start_tls.failed"):
            for stream in connected:
                await stream.aclose()

    return trace
