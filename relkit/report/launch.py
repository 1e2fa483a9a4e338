"""Running notebooks: parameters checked first, a private kernel environment, and a run that is whole or does not count."""

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import nbformat
from nbformat import NotebookNode

from relkit.exceptions import ReportError
from relkit.report.contract import check_parameters
from relkit.report.normal import normalise
from relkit.report.outputs import Shown, check_outputs

CELL_TIMEOUT_S: Final = 600


def run_notebook(
    source: Path, parameters: Mapping[str, Any], keep_failed: Path | None = None
) -> tuple[NotebookNode, Shown]:
    """Execute a notebook with papermill and return it in normal form, with what it shows.

    Parameters
    ----------
    source : Path
        The notebook.
    parameters : mapping
        Checked against the contract before a kernel starts.
    keep_failed : Path, optional
        Folder for the notebook of a run that failed, so that one can look at it.

    Raises
    ------
    ParameterError
        A parameter is not acceptable; no kernel was started.
    ReportError
        A cell failed, the kernel died or took too long, or the outputs are not whole.
    """
    name = source.stem
    checked = check_parameters(name, parameters)
    passed = {key: checked[key] for key in parameters}
    with tempfile.TemporaryDirectory(prefix="relkit-run-") as folder:
        output = Path(folder) / source.name
        try:
            with _kernel_environment(Path(folder)):
                _execute(source, output, passed)
            notebook = normalise(nbformat.read(output, as_version=4))
            return notebook, check_outputs(name, notebook)
        except ReportError as error:
            if keep_failed is not None and output.is_file():
                keep_failed.mkdir(parents=True, exist_ok=True)
                kept = keep_failed / f"{name}.failed.ipynb"
                kept.write_bytes(output.read_bytes())
                raise ReportError(f"{error} (the failed run is kept as {kept})") from None
            raise


def _execute(source: Path, output: Path, parameters: Mapping[str, Any]) -> None:
    import papermill  # noqa: PLC0415  a second of imports that only a run needs
    from nbclient.exceptions import CellTimeoutError, DeadKernelError  # noqa: PLC0415
    from papermill.exceptions import PapermillExecutionError  # noqa: PLC0415
    from traitlets.config import Config  # noqa: PLC0415

    logging.getLogger("papermill").setLevel(logging.ERROR)
    # ipykernel warns about unencrypted TCP on every start unless told that encryption is wanted
    quiet = Config({"KernelManager": {"transport_encryption": "auto"}})
    try:
        papermill.execute_notebook(
            str(source),
            str(output),
            parameters=dict(parameters),
            kernel_name="python3",
            progress_bar=False,
            execution_timeout=CELL_TIMEOUT_S,
            record_timing=False,
            config=quiet,
            # an interrupt that arrives while a kernel shuts down is no news
            extra_arguments=["--IPKernelApp.log_level=50"],
        )
    except PapermillExecutionError as error:
        raise ReportError(
            f"{source.stem}: cell {error.cell_index}: {error.ename}: {error.evalue}; nothing was published"
        ) from None
    except CellTimeoutError:
        raise ReportError(f"{source.stem}: a cell ran longer than {CELL_TIMEOUT_S} s; nothing was published") from None
    except DeadKernelError:
        raise ReportError(f"{source.stem}: the kernel died (out of memory?); nothing was published") from None


@contextlib.contextmanager
def _kernel_environment(folder: Path) -> Iterator[None]:
    """Give the kernel folders of its own: no start-up files of a person, no need for a HOME, no trace left behind."""
    places = {
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    cache = Path(os.path.expanduser("~")) / ".cache"  # noqa: PTH111  Path.home() raises where there is no home
    if "MPLCONFIGDIR" not in os.environ and not os.access(cache if cache.is_dir() else cache.parent, os.W_OK):
        places["MPLCONFIGDIR"] = str(Path(tempfile.gettempdir()) / f"relkit-mpl-{os.getuid()}")
    before = {name: os.environ.get(name) for name in places}
    os.environ.update(places)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
