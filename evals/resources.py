"""What a piece of work took: processor seconds and peak memory of this process."""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
from pathlib import Path

_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"
"""proc(5): writing 5 to clear_refs sets the peak resident set size back to the current one."""


def reset_peak_memory() -> bool:
    """Start measuring the peak anew; False where the system cannot, and the peak is then that of the whole process."""
    _give_back_memory()
    try:
        _CLEAR_REFS.write_text(_RESET_PEAK, encoding="ascii")
    except OSError:
        return False
    return True


def _give_back_memory() -> None:
    """Free what an earlier case left behind: the C library keeps freed memory, 100 MB after twenty cases."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only: musl has none
        if trim is not None:
            trim(0)


def peak_memory_mb() -> float:
    """Peak resident memory in MB (10^6 bytes) since the last reset."""
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    # ru_maxrss is in kilobytes on Linux; it cannot be reset.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
