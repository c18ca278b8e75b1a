"""The limits that a container or a batch system sets on this process: Linux control groups of both versions."""

from collections.abc import Iterator
from pathlib import Path

_ROOT, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def memory_limit(root: Path = _ROOT, own: Path = _OWN) -> int | None:
    """Return the least memory in bytes that any group of this process allows; None where none is set.

    Args:
        root: where control groups are mounted.
        own: the file that lists this process' groups.
    """
    limits = [
        int(text)
        for folder in _groups(root, own, "memory")
        for name in ("memory.max", "memory.limit_in_bytes")
        if (text := _read(folder / name)).isdigit()
    ]
    return min(limits, default=None)


def processor_limit(root: Path = _ROOT, own: Path = _OWN) -> float | None:
    """Return how many processors' worth of time the groups of this process allow; None where no quota is set.

    Args:
        root: where control groups are mounted.
        own: the file that lists this process' groups.
    """
    quotas = []
    for folder in _groups(root, own, "cpu"):
        written = (
            _read(folder / "cpu.max") or f"{_read(folder / 'cpu.cfs_quota_us')} {_read(folder / 'cpu.cfs_period_us')}"
        )
        parts = written.split()
        if len(parts) == 2 and all(part.isdigit() and int(part) for part in parts):
            quotas.append(int(parts[0]) / int(parts[1]))
    return min(quotas, default=None)


def _groups(root: Path, own: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of the process' group and of all above it; version 1 has a tree for each controller.

    A container often sees its own group as the root while `own` names it from outside, so the root always counts.
    """
    for line in _read(own).splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and controller not in controllers.split(","):
            continue
        mounted = root / controller if controllers else root
        place = mounted / path.strip("/")
        yield from (folder for folder in (place, *place.parents) if folder.is_relative_to(mounted))
    yield from (root, root / controller)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
