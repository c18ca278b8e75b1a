import pytest
import torch

from advisor.backend.checkpoint import read_checkpoint, write_checkpoint
from advisor.errors import RunError


def test_what_is_written_is_read(tmp_path):
    tensors = {"a": torch.arange(6.0).reshape(2, 3).T, "b": torch.tensor(3.0)}
    write_checkpoint(tmp_path / "last" / "state.safetensors", tensors, {"step": 4, "score": [0.5, -1.0]})
    found = read_checkpoint(tmp_path / "last" / "state.safetensors")
    assert found is not None
    assert found[1] == {"step": 4, "score": [0.5, -1.0]}
    assert torch.equal(found[0]["a"], tensors["a"])
    assert torch.equal(found[0]["b"], tensors["b"])


def test_no_file_is_no_checkpoint(tmp_path):
    assert read_checkpoint(tmp_path / "state.safetensors") is None


@pytest.mark.parametrize("content", [b"", b"not tensors", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_broken_file_is_refused_in_one_sentence(tmp_path, content):
    path = tmp_path / "state.safetensors"
    path.write_bytes(content)
    with pytest.raises(RunError, match="not a readable checkpoint; remove it"):
        read_checkpoint(path)


def test_a_failed_write_leaves_the_earlier_checkpoint(tmp_path):
    path = tmp_path / "state.safetensors"
    write_checkpoint(path, {"a": torch.zeros(2)}, {"step": 1})
    with pytest.raises(ValueError, match="JSON"):
        write_checkpoint(path, {"a": torch.ones(2)}, {"step": float("nan")})
    found = read_checkpoint(path)
    assert found is not None
    assert found[1] == {"step": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.safetensors"]
