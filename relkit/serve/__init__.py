"""Metrics and health over HTTP: what the log says at any moment, for people, programs and Prometheus.

The parts that speak HTTP need the extra `serve`; they are loaded when they are first used.
"""

from typing import TYPE_CHECKING, Any, Final

from relkit.exceptions import RelkitError

if TYPE_CHECKING:
    from relkit.serve.asgi import application
    from relkit.serve.checks import Check, address_check
    from relkit.serve.server import run

__all__ = ["Check", "address_check", "application", "run"]

_HOMES: Final = {"application": "asgi", "Check": "checks", "address_check": "checks", "run": "server"}
MISSING: Final = "relkit serve needs the extra `serve` (starlette, uvicorn, prometheus-client): pip install 'relkit-workbench[serve]'"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'relkit.serve' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    try:
        return getattr(import_module(f"relkit.serve.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"starlette", "uvicorn", "prometheus_client"}:
            raise RelkitError(MISSING) from None
        raise
