import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.assets import asset
from advisor.errors import AdvisorError, DocumentError, InputError
from advisor.profile import INPUTS, Profile, load_profile, parse_setting, profile_schema

PROFILES = sorted(asset("profiles").rglob("*.yaml"))


def written(folder: Path, text: str) -> Path:
    path = folder / "profile.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name + "/" + path.name)
def test_shipped_profiles_load_and_round_trip(path: Path, tmp_path: Path) -> None:
    profile = load_profile(path)
    assert load_profile(written(tmp_path, profile.as_yaml())) == profile


def test_there_are_at_least_eight_profiles_over_several_task_types() -> None:
    profiles = [load_profile(path) for path in PROFILES]
    assert len(profiles) >= 8
    assert len({profile.task.type for profile in profiles}) >= 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "schema: 1\ncompute:\n  memory_gb: lots\n",
            "profile.yaml:3:14: compute.memory_gb: 'lots' is not a number",
        ),
        (
            "schema: 1\ncompute:\n  memroy_gb: 3\n",
            "profile.yaml:3:3: unknown key 'memroy_gb'; did you mean 'memory_gb'?",
        ),
        ("schema: 1\ndata: {labelled: -3}\n", "profile.yaml:2:18: data.labelled: '-3' is below 0"),
        ("schema: 1\ntask: {type: clasification}\n", "is not one of text-classification"),
        ("schema: 2\n", "profile.yaml:1:9: schema: '2' is not one of 1\n"),
        ("schema: 1\ndata: reviews.csv\n", "profile.yaml:2:7: data: 'reviews.csv' is not a set of keys and values"),
        ("schema: 1\ndata: {labelled: true}\n", "profile.yaml:2:18: data.labelled: 'true' is not a number"),
        ("schema: 1\ncompute: {hours: false}\n", "compute.hours: 'false' is not a number"),
        ("schema: 1\ndata: {labelled: 1e99}\n", "data.labelled: '1e+99' is far too large"),
        ("schema: 1\ncompute: {device: cuda}\n", "compute.device: 'cuda' is not one of cpu, gpu\n"),
        ("schema: 1\ntask: {languages: [english]}\n", "'english' is not a language code of two or three small letters"),
        ("schema: 1\ntask: {labels: [a, b, a]}\n", "task.labels: the label 'a' stands twice"),
        ("schema: 1\ntask: {labels: ['', b]}\n", "task.labels: a label has no name"),
        ("schema: 1\ntask: {labels: [{a: good}, {b: bad}]}\n", "without a dash before it"),
        ("schema: 1\ndata:\n  classes: 3\ntask: {labels: [a, b]}\n", "profile.yaml:3:12: data.classes is 3, but"),
        ("schema: 1\nname: [" + "a, " * 999, "not valid YAML"),
        ("task: {}\n", "schema is missing"),
        ("", "the profile is empty"),
        ("- a\n", "expected keys and values"),
        ("schema: 1\ntask: {labels: [one]}\n", "at least two labels"),
        ("schema: 1\ndata: {labelled: 3, smallest_class: 9}\n", "exceeds data.labelled"),
        (
            "schema: 1\nsources: {data.labeled: file}\n",
            "sources names no input 'data.labeled'; did you mean 'data.labelled'?",
        ),
    ],
)
def test_a_faulty_profile_is_one_sentence_with_a_place(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        load_profile(written(tmp_path, text))
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_labels_are_read_as_data_write_them(tmp_path: Path) -> None:
    profile = load_profile(written(tmp_path, "schema: 1\ntask: {labels: [true, 1.0, 2, no]}\n"))
    assert list(profile.task.labels or ()) == ["true", "1", "2", "no"]


def test_unknown_is_an_answer(tmp_path: Path) -> None:
    profile = load_profile(
        written(
            tmp_path,
            "schema: 1\ndata: {labelled: unknown}\ntask: unknown_section\n".replace("task: unknown_section\n", ""),
        )
    )
    assert profile.data.labelled is None


def test_every_input_has_a_question_and_a_reason() -> None:
    plumbing = {"data.test", "data.text", "data.pair", "data.label", "model.revision", "model.llm_name"}
    plumbing |= {"compute.card", "compute.rented", "serving.card"}
    plumbing |= {"model.trust_remote_code", "model.llm_url", "model.llm_key_variable", "model.llm_max_usd"}
    for name, asked in INPUTS.items():
        if name not in plumbing:
            assert asked.question.endswith("?"), name
            assert asked.why, name


def test_sources_are_kept() -> None:
    profile = Profile().with_answers({"data.labelled": 10}, "asked").with_answers({"data.classes": 2}, "detected")
    assert profile.source("data.labelled") == "asked"
    assert profile.source("data.classes") == "detected"
    assert profile.source("compute.hours") is None


@pytest.mark.parametrize("text", ["data.labelled", "data.labeled=3", "=", "x=1"])
def test_a_faulty_setting_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_setting(text)


def test_a_setting_out_of_bounds_is_refused() -> None:
    with pytest.raises(InputError, match=r"data.labelled: '-1' is below 0"):
        Profile().with_answers(dict([parse_setting("data.labelled=-1")]), "flag")


def test_the_shipped_schema_is_current() -> None:
    shipped = json.loads(asset("profiles", "profile.schema.json").read_text(encoding="utf-8"))
    assert shipped == profile_schema(), "run: python -m advisor.profile > profiles/profile.schema.json"


def test_a_number_for_a_text_is_refused_though_its_writing_is_a_text() -> None:
    with pytest.raises(InputError, match=r"serving\.card: input should be a valid string"):
        Profile().with_answers({"serving.card": float("inf")}, "flag")


@given(
    st.dictionaries(
        st.sampled_from([*INPUTS, "x.y"]),
        st.one_of(st.integers(), st.text(max_size=8), st.booleans(), st.floats(), st.none()),
        max_size=6,
    )
)
def test_any_answers_are_taken_or_refused_politely(answers: dict[str, object]) -> None:
    try:
        profile = Profile().with_answers(answers, "flag")
    except AdvisorError as error:
        assert error.exit_code == 2
    else:
        assert all(
            profile.get(name) == value or value is None or name != name
            for name, value in answers.items()
            if isinstance(value, int) and not isinstance(value, bool)
        )
