"""`relkit serve` as its user starts it: one line, an end without noise, one clear line on an error."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from relkit.cli import main

COMMAND = [sys.executable, "-m", "relkit", "serve"]
TOKEN = "a-token-that-is-long-enough-0123"


def started(demo_database: Path, *words: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "--database", str(demo_database), "--port", "0", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **(env or {})},
    )  # fmt: skip


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def run(*words: str, token: str = "") -> str:
        monkeypatch.setenv("RELKIT_SERVE_TOKEN", token)
        with pytest.raises(SystemExit) as stop:
            main(["serve", *words])
        told = capsys.readouterr()
        assert (stop.value.code, told.out) == (1, "")
        assert told.err.count("\n") == 1
        return told.err

    return run


def test_it_says_where_it_answers_and_ends_when_it_is_told_to(demo_database: Path, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    with started(demo_database, "--token-file", str(file), "--optional", "cache=tcp://127.0.0.1:9", "--json") as server:
        assert server.stdout is not None
        assert server.stderr is not None
        record = json.loads(server.stdout.readline())
        assert record["token"] is True
        address = record["address"] + "/api/reliability"
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{address}/live").close()
                break
            except urllib.error.URLError:
                time.sleep(0.05)
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(f"{address}/metrics")
        assert error.value.code == 401
        asked = urllib.request.Request(f"{address}/health", headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(asked) as answer:
            assert "Server" not in answer.headers
            told = json.load(answer)
        assert told["checks"]["cache:responseTime"][0]["status"] == "fail"
        assert told["status"] == "warn"
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0
        assert server.stderr.read() == ""


def test_others_than_this_machine_need_a_token(demo_database: Path, refused) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1"):
        said = refused("--database", str(demo_database), "--host", host)
        assert "need a token; give --token-file FILE, or set RELKIT_SERVE_TOKEN" in said


def test_what_hinders_it_is_one_line(demo_database: Path, tmp_path: Path, refused) -> None:
    here = ["--database", str(demo_database)]
    assert "no such database; `relkit ingest" in refused("--database", str(tmp_path / "none.duckdb"))
    assert "--token-file" in refused(*here, "--token-file", str(tmp_path / "none"))
    weak = refused(*here, token="hunter2")
    assert "at least 16 printable" in weak
    assert "hunter2" not in weak
    assert "NAME=ADDRESS" in refused(*here, "--required", "cache")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "cannot listen there (Address already in use)" in refused(*here, "--port", str(taken.getsockname()[1]))


@pytest.mark.parametrize("library", ["starlette", "uvicorn", "prometheus_client"])
def test_without_its_extra_it_says_what_to_install(library: str, refused, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, library, None)
    for name in [name for name in sys.modules if name.startswith("relkit.serve.")]:
        monkeypatch.delitem(sys.modules, name)
    said = refused()
    assert said.endswith(
        "needs the extra `serve` (starlette, uvicorn, prometheus-client): pip install 'relkit-workbench[serve]'\n"
    )
