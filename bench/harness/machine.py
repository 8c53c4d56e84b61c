"""What processes have cost, from /proc: processor time, in ticks of usually 10 ms, and memory."""

import os
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")
UTIME, STIME, CUTIME, CSTIME, PPID = 11, 12, 13, 14, 1  # fields after the name, proc(5) less 3


def _stat(pid):
    """The fields of /proc/PID/stat after the name, which may hold anything; None if it has ended."""
    try:
        text = Path("/proc", str(pid), "stat").read_text()
    except OSError:
        return None
    return text[text.rindex(")") + 2:].split()


def has_ended(pid):
    fields = _stat(pid)
    return not fields or fields[0] == "Z"


def cpu_seconds(pid):
    """Of one process; 0 if it has ended."""
    fields = _stat(pid)
    return (int(fields[UTIME]) + int(fields[STIME])) * TICK if fields else 0.0


def family_cpu_seconds(pid):
    """Of a process, its children, and those of them that have ended and were waited for."""
    while True:
        before = _stat(pid)
        if not before:
            return 0.0
        children = [fields for fields in map(_stat, filter(str.isdigit, os.listdir("/proc")))
                    if fields and int(fields[PPID]) == pid]
        after = _stat(pid)
        # A child that ends meanwhile would be counted twice, or not at all.
        if after and before[CUTIME:CSTIME + 1] == after[CUTIME:CSTIME + 1]:
            return TICK * (sum(int(after[i]) for i in (UTIME, STIME, CUTIME, CSTIME)) +
                           sum(int(child[i]) for child in children for i in (UTIME, STIME)))


def busy_seconds():
    """Of all processors, by anybody: what the run did not cost itself was somebody else's."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[:8])
    return TICK * (user + nice + system + irq + softirq + steal)


def rss_mib(pid):
    for line in Path("/proc", str(pid), "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def description():
    """What the figures were measured on."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1024 / 1024
    return {"processor": model, "cores": os.cpu_count(), "memory_gib": round(memory, 1),
            "load_average_before": os.getloadavg()[0]}
