"""The room is light: a service that uses it loads none of the workbench's libraries."""

import subprocess
import sys
from pathlib import Path

HEAVY = {"numpy", "pandas", "scipy", "numba", "matplotlib", "duckdb", "statsmodels", "papermill"}


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_every_module_of_the_room_loads_none_of_the_heavy_libraries() -> None:
    modules = loaded_by(
        "import importlib, pkgutil, relkit.live\n"
        "for found in pkgutil.walk_packages(relkit.live.__path__, 'relkit.live.'):\n"
        "    importlib.import_module(found.name)"
    )
    assert {"relkit.live.pipeline", "relkit.live.journal", "relkit.live.probes"} <= modules
    assert modules & HEAVY == set()


def test_a_pipeline_made_from_a_file_loads_none_of_them_either(tmp_path: Path) -> None:
    path = tmp_path / "relkit.toml"
    path.write_text('[service.default]\nbreaker = { preset = "pybreaker" }\n', encoding="utf-8")
    modules = loaded_by(f"from relkit import Pipeline\nPipeline.from_toml({str(path)!r}).call(lambda: 1)")
    assert "relkit.config.relkit_toml" in modules
    assert modules & HEAVY == set()
