"""Running notebooks: parameters checked first, a private kernel environment, and a run that is whole or does not count."""

import contextlib
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Final

from relkit.exceptions import ReportError
from relkit.report.contract import check_parameters
from relkit.report.normal import NotebookNode, normalise, read_notebook
from relkit.report.outputs import Shown, check_outputs
from relkit.scratch import leased_folder, process_folder, scratch_folder

CELL_TIMEOUT_S: Final = 600
START_TIMEOUT_S: Final = 60
AT_ONCE: Final = 2
SOCKET_FOLDER_BYTES: Final = 70
_SHOWN: Final = 300


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
    return run_notebooks([source], parameters, keep_failed=keep_failed)[source.stem]


def run_notebooks(
    sources: Sequence[Path],
    parameters: Mapping[str, Any],
    *,
    scratch: Path | None = None,
    keep_failed: Path | None = None,
    on_done: Callable[[str], None] = lambda name: None,
) -> dict[str, tuple[NotebookNode, Shown]]:
    """Execute notebooks with the same parameters, two at a time; all of them are whole, or it raises.

    Parameters
    ----------
    sources : sequence of Path
        The notebooks.
    parameters : mapping
        Checked against the contract of each before a kernel starts.
    scratch : Path, optional
        Folder for the kernels' files while they run; default one of this process.
    keep_failed : Path, optional
        Folder for the notebook of a run that failed.
    on_done : callable
        Told each notebook's name when it has run, in the order given.

    Returns
    -------
    dict of str to (NotebookNode, Shown)
        By name, in the order given.

    Raises
    ------
    ParameterError
        A parameter is not acceptable; no kernel was started.
    ReportError
        The first of them, in the order given, that failed. No kernel is left, then or after an interrupt.
    """
    passed = {}
    for source in sources:
        checked = check_parameters(source.stem, parameters)
        passed[source] = {key: checked[key] for key in parameters}
    with (
        leased_folder(scratch or process_folder(), "run-") as folder,
        leased_folder(_short_folder(), "kernels-") as sockets,
        _kernel_environment(folder),
        ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1)) as pool,
    ):
        # Threads: each waits for a kernel, which is a process of its own. Python gives signals to the main thread, so
        # nobody below replaces the handlers of the command line, and an interrupt ends the kernels from here.
        called_off = threading.Event()
        kernels: list[Any] = []
        runs = {
            source.stem: pool.submit(
                _run, source, folder, sockets / str(number), given, kernels, called_off, keep_failed
            )
            for number, (source, given) in enumerate(passed.items())
        }
        try:
            whole = {}
            for name, run in runs.items():
                whole[name] = run.result()
                on_done(name)
            return whole
        finally:
            called_off.set()
            _end(list(runs.values()), kernels)


def _end(runs: Sequence[Future[Any]], kernels: Sequence[Any]) -> None:
    """Leave nothing running: what waits is called off, what runs loses its kernel and so comes to its end."""
    for run in runs:
        run.cancel()
    while wait(runs, timeout=0.1).not_done:
        for kernel in tuple(kernels):
            process = getattr(kernel.provisioner, "process", None)
            if process is not None:
                process.kill()


def _run(
    source: Path,
    folder: Path,
    sockets: Path,
    parameters: Mapping[str, Any],
    kernels: list[Any],
    called_off: threading.Event,
    keep_failed: Path | None,
) -> tuple[NotebookNode, Shown]:
    output = folder / source.name
    try:
        _execute(source, output, sockets, parameters, kernels)
        notebook = normalise(read_notebook(output))
        return notebook, check_outputs(source.stem, notebook)
    except ReportError as error:
        if keep_failed is None or called_off.is_set() or not output.is_file():
            raise
        keep_failed.mkdir(parents=True, exist_ok=True)
        kept = keep_failed / f"{source.stem}.failed.ipynb"
        kept.write_bytes(output.read_bytes())
        raise ReportError(f"{error} (the failed run is kept as {kept})") from None


def _execute(source: Path, output: Path, sockets: Path, parameters: Mapping[str, Any], kernels: list[Any]) -> None:
    import papermill  # noqa: PLC0415  half a second of imports that only a run needs
    from jupyter_client.kernelspec import KernelSpec  # noqa: PLC0415
    from jupyter_client.manager import AsyncKernelManager  # noqa: PLC0415
    from nbclient.exceptions import CellTimeoutError, DeadKernelError  # noqa: PLC0415
    from papermill.exceptions import PapermillExecutionError  # noqa: PLC0415

    class Kernel(AsyncKernelManager):
        """The kernel of a run, known to who may have to end it."""

        def __init__(self, *words: Any, **settings: Any) -> None:
            super().__init__(*words, **settings)
            # else it lies in the system's temporary folder, and stays there when we are killed
            self.connection_file = str(output.with_suffix(".json"))
            # Ports are picked first and taken later: of several kernels that start at once, two may pick the same.
            self.transport = "ipc"
            self.ip = str(sockets)
            kernels.append(self)

        @property
        def kernel_spec(self) -> KernelSpec:
            """The kernel of this environment, whatever else is called python3 here."""
            words = [sys.executable, "-m", "relkit.report.kernel", "-f", "{connection_file}"]
            return KernelSpec(argv=words, display_name="Python 3", language="python")

    # What papermill would say is in the error we raise; asyncio would tell of tasks that a timeout left unfinished.
    for speaker in ("papermill", "asyncio"):
        logging.getLogger(speaker).setLevel(logging.CRITICAL)
    try:
        papermill.execute_notebook(
            _verbatim(source),
            _verbatim(output),
            parameters=dict(parameters),
            kernel_name="python3",
            progress_bar=False,
            start_timeout=START_TIMEOUT_S,
            execution_timeout=CELL_TIMEOUT_S,
            record_timing=False,
            kernel_manager_class=Kernel,
            # A kernel asked to go politely prints that it was interrupted; it holds nothing that needs care.
            shutdown_kernel="immediate",
            extra_arguments=["--IPKernelApp.log_level=50"],
        )
    except PapermillExecutionError as error:
        said = " ".join(f"{error.ename}: {error.evalue}".split())[:_SHOWN]
        raise ReportError(f"{source.stem}: cell {error.cell_index}: {said}; nothing was published") from None
    except CellTimeoutError:
        raise ReportError(f"{source.stem}: a cell ran longer than {CELL_TIMEOUT_S} s; nothing was published") from None
    except (DeadKernelError, RuntimeError) as error:
        # a kernel that dies before it is ready, or never gets ready, is told by a bare RuntimeError
        if str(error).startswith("Kernel didn't respond"):
            raise ReportError(
                f"{source.stem}: the kernel was not ready after {START_TIMEOUT_S} s (is the machine overloaded?); "
                "nothing was published"
            ) from None
        if isinstance(error, DeadKernelError) or "ernel" in str(error):
            raise ReportError(f"{source.stem}: the kernel died (out of memory?); nothing was published") from None
        raise


def _short_folder() -> Path:
    """Find a folder of this user's in which a socket may lie: its address holds about a hundred bytes."""
    for where in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108  private to this user
        folder = scratch_folder(where)
        if len(os.fsencode(folder)) <= SOCKET_FOLDER_BYTES:
            return folder
    raise ReportError(f"{folder}: its name is too long for the kernels' sockets; set TMPDIR to a shorter one")


def _verbatim(path: Path) -> str:
    """Write a path so that papermill, which fills in `{name}`, opens just this one."""
    return str(path).replace("{", "{{").replace("}", "}}")


@contextlib.contextmanager
def _kernel_environment(folder: Path) -> Iterator[None]:
    """Give the kernels folders of their own: no start-up files of a person, no need for a HOME, no trace left behind."""
    places: dict[str, str | None] = {
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_PATH": None,
        "TMPDIR": str(folder),
        "PYTHONSTARTUP": None,
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    cache = Path(os.path.expanduser("~")) / ".cache"  # noqa: PTH111  Path.home() raises where there is no home
    if "MPLCONFIGDIR" not in os.environ and not os.access(cache if cache.is_dir() else cache.parent, os.W_OK):
        places["MPLCONFIGDIR"] = str(scratch_folder() / "matplotlib")
    before = {name: os.environ.get(name) for name in places}
    _set(places)
    try:
        yield
    finally:
        _set(before)


def _set(places: Mapping[str, str | None]) -> None:
    for name, value in places.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
