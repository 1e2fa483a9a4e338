"""The kernel of a run: an IPython kernel that ends with the process that started it, at whatever moment that is.

ipykernel looks for its parent only when it has loaded. A parent that was killed before goes unnoticed where somebody
else than process 1 adopts orphans (systemd in a desktop session), and the kernel would stay for ever.
"""

import os
import sys
import threading
import time
from typing import Final

LOOKS_EVERY_S: Final = 0.2


def end_with(parent: int) -> None:
    """End this process as soon as another one than `parent` is its parent."""
    while os.getppid() == parent:
        time.sleep(LOOKS_EVERY_S)
    os._exit(1)


def main() -> None:
    """Be a kernel; the manager passes its process id in JPY_PARENT_PID."""
    threading.Thread(target=end_with, args=(int(os.environ["JPY_PARENT_PID"]),), daemon=True).start()
    if sys.path[0] in {"", os.getcwd()}:  # noqa: PTH109  as text; what lies here must not stand for a module of a kernel
        del sys.path[0]
    from ipykernel.kernelapp import launch_new_instance  # noqa: PLC0415  half a second, in which the parent may end

    launch_new_instance()


if __name__ == "__main__":
    main()
