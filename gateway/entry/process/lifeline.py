"""A child must not outlive its supervisor, or a second `undercap up` would find doubles at work.

The supervisor holds the writing end of the child's standard input and never writes: when it dies, however
that happens, the kernel closes the pipe and the child sees its end.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time

from gateway.entry.process import readiness

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def tie_to_supervisor(*, force_after_s: float) -> None:
    """From now on the supervisor's death is a SIGTERM to this process; does nothing without a supervisor.

    `force_after_s`: seconds after which a process that heeds no SIGTERM is killed.
    """
    if not readiness.supervised():
        return
    if sys.platform == "linux":
        # Told by the kernel at once, even while no thread of ours gets to run. ctypes, since the standard
        # library has no prctl; set by the child itself, since code between fork and exec is fragile.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    # Everywhere, and for a supervisor that died before the call above.
    threading.Thread(target=_watch, args=(force_after_s,), daemon=True, name="lifeline").start()


def _watch(force_after_s: float) -> None:
    with contextlib.suppress(OSError):  # a closed standard input is an end, too
        while os.read(0, 1):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(force_after_s)
    os.kill(os.getpid(), signal.SIGKILL)
