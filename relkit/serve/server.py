"""Serving an application on a socket that is open already, until the process is told to end."""

import contextlib
import socket

import uvicorn

from relkit.serve.guard import Guard

_GRACE_S = 2


def run(app: Guard, listening: socket.socket) -> None:
    """Answer on a socket until an interrupt; whoever calls has opened it, and so knows its address.

    Parameters
    ----------
    app : Guard
        Made by `relkit.serve.application`.
    listening : socket
        Bound and listening; closed at the end.
    """
    config = uvicorn.Config(
        app, http="h11", ws="none", log_level="warning", access_log=False, server_header=False, proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_S,
    )  # fmt: skip
    with listening, contextlib.suppress(KeyboardInterrupt):  # the way to end it
        uvicorn.Server(config).run(sockets=[listening])
