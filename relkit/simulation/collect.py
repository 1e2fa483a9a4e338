"""Long work that keeps what is finished when somebody presses Ctrl-C."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from relkit.simulation.run import Run

Found = TypeVar("Found")


def collect(
    work: Sequence[Callable[[], Found]],
    progress: Callable[[int, int], object] | None = None,
    is_whole: Callable[[Found], bool] = lambda piece: True,
) -> list[Found]:
    """Do one piece of work after the other; Ctrl-C ends it early and keeps the pieces that are done.

    Parameters
    ----------
    work : sequence of callable
        The pieces, each without arguments.
    progress : callable or None
        Told after each piece how many are done, and how many there are.
    is_whole : callable
        Says whether a piece is whole: `simulate` itself ends early at Ctrl-C, and what it returns then is the last piece.

    Returns
    -------
    list
        What the pieces returned, in order; shorter than `work` after Ctrl-C.

    Examples
    --------
    >>> collect([lambda: 1, lambda: 2], print)
    1 2
    2 2
    [1, 2]
    """
    done: list[Found] = []
    try:
        for piece in work:
            done.append(piece())
            if progress is not None:
                progress(len(done), len(work))
            if not is_whole(done[-1]):
                break
    except KeyboardInterrupt:
        pass
    return done


def whole(run: Run) -> Run:
    """Return a run that was played to its end; one that Ctrl-C cut short ends the work around it too.

    Raises
    ------
    KeyboardInterrupt
        The run is not complete: half a run would be a figure of something else.
    """
    if not run.complete:
        raise KeyboardInterrupt
    return run
