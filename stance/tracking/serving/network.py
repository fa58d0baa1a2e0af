"""Where a service listens. A host and a port enter; a listening socket and its http address leave."""

from __future__ import annotations

import ipaddress
import socket

from stance.errors import ServiceError


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at the address (port 0: any free one).

    Raises ServiceError where that is not possible, such as for a port in use.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ServiceError(f"cannot listen on {host}:{port}: {reason}; choose another --port or --host") from error
    # Connections inherit it. asyncio does not set it on sockets that it did not make, and each reply would then wait
    # about 40 ms for the client's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the http address under which this machine reaches a listening socket."""
    host, port = listener.getsockname()[:2]
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - nothing is bound here
    return f"http://{f'[{reached}]' if ':' in reached else reached}:{port}"


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach `host`.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "192.168.1.5", "example.org")]
    [True, True, True, False, False, False]
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
