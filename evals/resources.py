"""What a piece of work took: processor seconds and peak memory of this process."""

from __future__ import annotations

import resource
from pathlib import Path

_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"
"""proc(5): writing 5 to clear_refs sets the peak resident set size back to the current one."""


def reset_peak_memory() -> bool:
    """Start measuring the peak anew; False where the system cannot, and the peak is then that of the whole process."""
    try:
        _CLEAR_REFS.write_text(_RESET_PEAK, encoding="ascii")
    except OSError:
        return False
    return True


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
