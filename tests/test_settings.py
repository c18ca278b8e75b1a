from pathlib import Path

import pytest

from advisor.assets import asset
from advisor.documents import read_document
from advisor.errors import RuleBaseError
from advisor.settings import load_settings, settings_in

FILES = [f"{name}.yaml" for name in ["computing", "doctor", "evaluation", "explanation", "ledger", "pilot", "reading"]]


@pytest.mark.parametrize("file", FILES)
def test_every_number_stands_with_its_source_within_its_range(file: str) -> None:
    settings = settings_in(read_document(asset("rules", file)))
    assert load_settings(file) == {name: setting.value for name, setting in settings.items()}
    for name, setting in settings.items():
        assert setting.source, name
        if isinstance(setting.value, int | float):
            low, high = setting.range or (setting.value, setting.value)
            assert low <= setting.value <= high, name


def test_a_setting_without_a_source_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.yaml").write_text("patience:\n  value: 3\n  unit: tries\n")
    monkeypatch.setattr("advisor.settings.asset", lambda _, file: tmp_path / file)
    with pytest.raises(RuleBaseError, match=r"own\.yaml:\d+:\d+: .*source"):
        load_settings("own.yaml")
