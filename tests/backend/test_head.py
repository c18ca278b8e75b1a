import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from advisor.backend.head import HeadDetails, LinearHead
from advisor.errors import InputError

HEAD = LinearHead(np.arange(6, dtype=np.float32).reshape(2, 3), np.array([0.5, -0.5], dtype=np.float32))
DETAILS = HeadDetails(labels=["yes", "não"], pooling="mean", max_length=20)


def test_a_saved_head_comes_back(tmp_path: Path) -> None:
    HEAD.save(tmp_path, DETAILS)
    loaded, details = LinearHead.load(tmp_path)
    assert np.array_equal(loaded.weight, HEAD.weight)
    assert np.array_equal(loaded.bias, HEAD.bias)
    assert details == DETAILS
    assert json.loads((tmp_path / "head.json").read_text(encoding="utf-8"))["schema"] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["head.json", "head.safetensors"]


def test_a_head_of_the_first_schema_is_one_of_text_classification(tmp_path: Path) -> None:
    HEAD.save(tmp_path, DETAILS)
    first = {"schema": 1, "pooling": "cls", "max_length": 9, "normalised": True, "c": 4.0, "labels": ["a", "b"]}
    (tmp_path / "head.json").write_text(json.dumps(first))
    _, details = LinearHead.load(tmp_path)
    assert (details.task, details.labels, details.pooling) == ("text-classification", ["a", "b"], "cls")


def test_a_damaged_head_is_refused_in_one_sentence(tmp_path: Path) -> None:
    HEAD.save(tmp_path, DETAILS)
    (tmp_path / "head.safetensors").write_bytes(b"not tensors")
    with pytest.raises(InputError, match="no readable head"):
        LinearHead.load(tmp_path)
    save_file({"weight": np.zeros((3, 3), dtype=np.float32), "bias": np.zeros(3)}, tmp_path / "head.safetensors")
    with pytest.raises(InputError, match="do not belong together"):
        LinearHead.load(tmp_path)
    (tmp_path / "head.json").write_text(json.dumps(["a"]))
    with pytest.raises(InputError, match="no readable head"):
        LinearHead.load(tmp_path)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"task": "dreaming"}, "no task is called 'dreaming'"),
        ({"task": "regression"}, "2 labels do not go with regression"),
        ({"labels": []}, "0 labels do not go with text-classification"),
        ({"task": "multi-label"}, "thresholds go with multi-label"),
        ({"task": "multi-label", "thresholds": [0.5]}, "1 thresholds for 2 labels"),
        ({"pooling": "most"}, "pooling: "),
        ({"schema": 3}, "schema: "),
    ],
)
def test_details_that_contradict_each_other_are_refused(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    HEAD.save(tmp_path, DETAILS)
    content = json.loads((tmp_path / "head.json").read_text(encoding="utf-8"))
    (tmp_path / "head.json").write_text(json.dumps(content | changes))
    with pytest.raises(InputError, match=reason):
        LinearHead.load(tmp_path)
