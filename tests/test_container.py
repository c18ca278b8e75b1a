from pathlib import Path

import pytest

from advisor.container import memory_limit, processor_limit


def put(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n", encoding="ascii")


@pytest.mark.parametrize(
    ("own", "files", "memory", "processors"),
    [
        ("0::/", {"memory.max": "max", "cpu.max": "max 100000"}, None, None),
        ("0::/", {"memory.max": "4096", "cpu.max": "250000 100000"}, 4096, 2.5),
        # The tightest of a batch system's nested groups counts.
        (
            "0::/slurm/job/step",
            {"slurm/memory.max": "9000", "slurm/job/memory.max": "7000", "slurm/job/step/memory.max": "8000"}
            | {"slurm/job/cpu.max": "400000 100000"},
            7000,
            4.0,
        ),
        # Version 1 has a tree for each controller; the path is the host's, which the container does not see.
        (
            "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc",
            {
                "memory/memory.limit_in_bytes": "5000",
                "cpu/cpu.cfs_quota_us": "50000",
                "cpu/cpu.cfs_period_us": "100000",
            },
            5000,
            0.5,
        ),
        ("4:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None, None),
        ("nonsense", {}, None, None),
    ],
)
def test_limits(own: str, files: dict[str, str], memory: int | None, processors: float | None, tmp_path: Path) -> None:
    put(tmp_path, {"own": own})
    put(tmp_path / "groups", files)
    assert memory_limit(tmp_path / "groups", tmp_path / "own") == memory
    assert processor_limit(tmp_path / "groups", tmp_path / "own") == processors


def test_no_limits_where_there_are_no_groups(tmp_path: Path) -> None:
    assert memory_limit(tmp_path / "none", tmp_path / "own") is None
    assert processor_limit(tmp_path / "none", tmp_path / "own") is None
