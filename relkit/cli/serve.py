"""The command that answers over HTTP: metrics, health and the page of where things stand."""

import json
import os
import socket
from pathlib import Path
from typing import Annotated, Final

import typer

from relkit.cli.said import AsJson, Database
from relkit.exceptions import ParameterError

TOKEN_VARIABLE: Final = "RELKIT_SERVE_TOKEN"  # noqa: S105  the name of a variable
_BACKLOG: Final = 128


def serve(
    database: Database = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port; 0 takes a free one.")] = 8571,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; any but this machine's own needs a token.")
    ] = "127.0.0.1",
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help=f"File that holds the token; else {TOKEN_VARIABLE}, if set.")
    ] = None,
    required: Annotated[
        list[str] | None,
        typer.Option("--required", help="NAME=ADDRESS that health needs, e.g. upstream=http://10.0.0.5/health."),
    ] = None,
    optional: Annotated[
        list[str] | None,
        typer.Option("--optional", help="NAME=ADDRESS that health only warns of, e.g. cache=tcp://127.0.0.1:6379."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="relkit.toml; default the one here, else the packaged objectives.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Answer over HTTP where things stand: metrics, health, and a page; needs the extra `serve`."""
    from relkit.serve import address_check, application, run  # noqa: PLC0415
    from relkit.serve.guard import checked_token, is_loopback  # noqa: PLC0415

    token = _token(token_file)
    if token is not None:
        checked_token(token)
    if token is None and not is_loopback(host):
        raise ParameterError(
            f"--host {host}: others than this machine need a token; give --token-file FILE, or set {TOKEN_VARIABLE}"
        )
    checks = [
        address_check(*_named(text), required=is_needed)
        for is_needed, texts in ((True, required), (False, optional))
        for text in texts or ()
    ]

    from relkit.report.weekly import chosen_config, chosen_database  # noqa: PLC0415  they take a while to load

    place = chosen_database(database)
    if not place.is_file():
        raise ParameterError(
            f"{place}: no such database; `relkit ingest FILE --as attempts --database {place}` makes one"
        )
    app = application(place, config=chosen_config(config), checks=checks, token=token)

    listening = _listening(host, port)
    name, number = listening.getsockname()[:2]
    address = f"http://{f'[{name}]' if ':' in name else name}:{number}"
    record = {"address": address, "database": str(place), "token": token is not None}
    print(json.dumps(record) if as_json else f"serving {place} at {address}/ (Ctrl-C ends it)", flush=True)
    run(app, listening)


def _token(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no text"
        raise ParameterError(
            f"--token-file {file}: cannot be read ({reason}); name a file that holds the token alone"
        ) from None


def _named(text: str) -> tuple[str, str]:
    name, equals, address = text.partition("=")
    if not equals or not name:
        raise ParameterError.of("check", name or text[:40], "NAME=ADDRESS", "write it as cache=tcp://127.0.0.1:6379")
    return name, address


def _listening(host: str, port: int) -> socket.socket:
    """Open the socket here, so that a port in use is one clear line and a free one can be told."""
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
        listening.listen(_BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no such host"
        raise ParameterError(f"--host {host} --port {port}: cannot listen there ({reason}); choose another") from None
    return listening
