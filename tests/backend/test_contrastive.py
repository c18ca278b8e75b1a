import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import normalize

from advisor.backend.checkpoint import LAST
from advisor.backend.contrastive import TUNED, PairTraining, contrastive_loss, likeness, tune_on_pairs, with_names
from advisor.backend.encoder import Encoder
from advisor.backend.predictor import load_model
from advisor.backend.rows import Rows
from advisor.backend.wording import in_words
from advisor.errors import RunError
from advisor.estimates.forecast import default_settings
from advisor.strategies import STRATEGIES, FitJob

LABELS = ["film", "meal"]
TEXTS = [
    "good film", "a really bad film of the trip", "great film", "the film awful", "very good film", "film",
    "good meal", "a really bad meal of the trip", "great meal", "the meal awful", "very good meal", "meal",
]  # fmt: skip
CLASSES = np.repeat([0, 1], 6)
SETTINGS = default_settings("contrastive").model_copy(
    update={
        "learning_rate": 1e-3, "epochs": 2, "min_steps": 12, "most_steps": 12, "batch_size": 6, "kept_share": 1.0,
        "dropout": True, "freeze_token_embeddings": False,
    }
)  # fmt: skip
PLAIN = {"dropout": False, "min_steps": 2, "most_steps": 2}


@pytest.fixture(scope="module")
def tune(make_encoder, cpu, tmp_path_factory):
    folder = make_encoder("bert", "mean")

    def run(changes=None, texts=TEXTS, targets=CLASSES, workspace=None, **arguments):
        settings = SETTINGS.model_copy(update=changes or {})
        workspace = workspace or tmp_path_factory.mktemp("workspace")
        call = {"seed": 5, "device": cpu, "workspace": workspace, **arguments}
        return tune_on_pairs(folder, texts, targets, settings, **call)

    run.folder = folder
    return run


def weights(encoder: Encoder) -> dict[str, torch.Tensor]:
    return load_file(encoder.folder / "model.safetensors")


def same(left: Encoder, right: Encoder) -> bool:
    return all(torch.equal(value, weights(right)[name]) for name, value in weights(left).items())


def close(left: Encoder, right: Encoder) -> None:
    for name, value in weights(left).items():
        torch.testing.assert_close(value, weights(right)[name], atol=1e-5, rtol=0)


class Interrupted(Exception):
    pass


@pytest.mark.slow
def test_texts_of_a_class_are_drawn_together(tune, cpu):
    def gap(encoder):
        vectors = encoder.embed(TEXTS)
        near = vectors @ vectors.T
        alike = CLASSES[:, None] == CLASSES[None, :]
        return near[alike].mean() - near[~alike].mean()

    events, losses = [], []
    tuned = tune(
        {"min_steps": 40, "most_steps": 40},
        on_event=events.append,
        progress=lambda step, steps, loss: losses.append((step, steps, loss)),
    )
    assert gap(tuned) > gap(Encoder.load(tune.folder, cpu)) + 0.5
    assert losses[-1][:2] == (40, 40)
    assert losses[-1][2] < losses[0][2]
    assert [event["event"] for event in events] == ["training", "tuned"]


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tune):
    first = tune()
    assert same(first, tune())
    assert not same(first, tune(seed=6))


def test_tuning_does_not_touch_global_randomness(tune):
    before = torch.random.get_rng_state()
    tune()
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("stop_at", [1, 7, 12])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(tune, tmp_path, stop_at):
    def interrupt(step, steps, loss):
        if step == stop_at:
            raise Interrupted

    with pytest.raises(Interrupted):
        tune(workspace=tmp_path, save_seconds=0.0, progress=interrupt)
    events, steps = [], []
    resumed = tune(workspace=tmp_path, on_event=events.append, progress=lambda step, *_: steps.append(step))
    assert same(resumed, tune())
    assert {"event": "resumed", "step": stop_at, "steps": 12} in events
    assert steps == list(range(stop_at + 1, 13))


def test_a_finished_run_is_taken_up_without_another_step(tune, tmp_path):
    call = {"workspace": tmp_path, "changes": {"kept_share": 0.5}, "save_seconds": 0.0}
    kept, steps = weights(tune(**call)), []
    again = tune(**call, progress=lambda step, *_: steps.append(step))
    assert all(torch.equal(value, weights(again)[name]) for name, value in kept.items())
    assert steps == []


def test_what_ends_soon_leaves_no_checkpoint(tune, tmp_path):
    tune(workspace=tmp_path)
    assert not (tmp_path / LAST).exists()


@pytest.mark.parametrize("other", [{"changes": {"temperature": 0.2}}, {"seed": 1}, {"targets": 1 - CLASSES}])
def test_a_checkpoint_of_other_settings_or_data_is_refused(tune, tmp_path, other):
    tune(workspace=tmp_path, save_seconds=0.0)
    assert (tmp_path / LAST).exists()
    with pytest.raises(RunError, match="holds a checkpoint of other settings, data or encoder"):
        tune(workspace=tmp_path, **other)


@pytest.mark.parametrize("dropout", [False, True])
def test_a_batch_computed_in_parts_gives_the_gradients_of_the_whole(make_encoder, cpu, dropout):
    settings = SETTINGS.model_copy(update={"dropout": dropout, "batch_size": 12})

    def gradients(batch_tokens, parts, monkeypatch):
        monkeypatch.setattr("advisor.backend.contrastive.load_settings", lambda file: {"cpu_part_tokens": parts})
        encoder = Encoder.load(folder, cpu, frozen=False)
        run = PairTraining(encoder, TEXTS, CLASSES, settings, 5, lambda event: None)
        run.batch_tokens = batch_tokens
        loss = run.backward(np.arange(12))
        return loss, {name: p.grad for name, p in run.parameters.items() if p.grad is not None}

    folder = make_encoder("bert", "mean")
    with pytest.MonkeyPatch.context() as monkeypatch:
        whole = gradients(1000, 20, monkeypatch)
        parts = gradients(20, 20, monkeypatch)
    assert parts[0] == pytest.approx(whole[0], rel=1e-6)
    assert len(parts[1]) > 30
    for name, value in whole[1].items():
        torch.testing.assert_close(parts[1][name], value, atol=1e-6, rtol=1e-4)


def test_exhausted_memory_halves_what_is_computed_at_once(tune, monkeypatch):
    vectors = PairTraining._vectors

    def most_two_rows(self, rows, part):
        if len(rows) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")
        return vectors(self, rows, part)

    whole = tune(PLAIN)
    monkeypatch.setattr(PairTraining, "_vectors", most_two_rows)
    events = []
    small = tune(PLAIN, on_event=events.append)
    assert any(event["event"] == "out of memory" for event in events)
    close(small, whole)


def test_a_single_text_too_many_ends_in_one_sentence(tune, monkeypatch):
    def none(self, rows, part):
        raise MemoryError

    monkeypatch.setattr(PairTraining, "_vectors", none)
    with pytest.raises(RunError, match=r"out of memory on a single text of .* max_length"):
        tune()


@pytest.mark.slow
def test_the_encoder_is_kept_part_of_the_way_to_the_tuned_weights(tune):
    start = load_file(tune.folder / "model.safetensors")
    end, half = weights(tune(PLAIN)), weights(tune({**PLAIN, "kept_share": 0.5}))
    for name, value in half.items():
        torch.testing.assert_close(value, (start[name] + end[name]) / 2)


@pytest.mark.slow
def test_frozen_token_embeddings_stay_and_the_rest_moves(tune):
    start, end = load_file(tune.folder / "model.safetensors"), weights(tune({"freeze_token_embeddings": True}))
    assert torch.equal(start["embeddings.word_embeddings.weight"], end["embeddings.word_embeddings.weight"])
    query = "encoder.layer.0.attention.self.query.weight"
    assert not torch.equal(start[query], end[query])


def test_likeness_of_classes_and_of_sets_of_classes():
    assert likeness(torch.tensor([0, 1, 0])).tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    found = likeness(torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 0.0]]))
    torch.testing.assert_close(
        found, torch.tensor([[1, 1 / 3, 0, 1], [1 / 3, 1, 0, 1 / 3], [0, 0, 0, 0], [1, 1 / 3, 0, 1]])
    )


def test_the_loss_is_the_mean_over_texts_of_the_mean_over_those_like_them():
    vectors = normalize(torch.randn(7, 5, generator=torch.Generator().manual_seed(0)), dim=-1)
    classes = [0, 0, 1, 1, 1, 2, 0]
    losses = []
    for one in range(7):
        others = [other for other in range(7) if other != one]
        whole = sum(np.exp(float(vectors[one] @ vectors[other]) / 0.3) for other in others)
        alike = [other for other in others if classes[other] == classes[one]]
        if alike:
            chances = [np.exp(float(vectors[one] @ vectors[other]) / 0.3) / whole for other in alike]
            losses.append(-np.log(chances).mean())
    found = contrastive_loss(vectors, likeness(torch.tensor(classes)), 0.3)
    assert found.item() == pytest.approx(np.mean(losses), rel=1e-5)


def test_without_any_pair_alike_nothing_is_learnt():
    vectors = normalize(torch.randn(3, 5), dim=-1).requires_grad_()
    loss = contrastive_loss(vectors, likeness(torch.tensor([0, 1, 2])), 0.1)
    loss.backward()
    assert loss.item() == 0
    assert vectors.grad is not None
    assert not vectors.grad.any()


@pytest.mark.parametrize(
    ("label", "description", "words"),
    [
        ("Refund_not_shown", "", "refund not shown"),
        ("positive", " liked it. ", "positive: liked it."),
        ("3", "", None),
        ("B", "", None),
        ("LABEL_0", "", None),
        ("class 2", "liked it", "liked it"),
    ],
)
def test_what_words_say_of_a_label(label, description, words):
    assert in_words(label, description) == words


def test_names_of_classes_join_their_texts():
    labels, said = ["film", "2", "meal"], {"2": "of a trip"}
    found = with_names(Rows(["a", "b"], np.array([2, 0]), [1, 2]), labels, said)
    assert list(found.inputs) == ["a", "b", "film", "of a trip", "meal"]
    assert found.targets.tolist() == [2, 0, 0, 1, 2]
    several = with_names(Rows(["a"], np.array([[1, 0, 1]], dtype=np.float32), [1]), labels, {})
    assert list(several.inputs) == ["a", "film", "meal"]
    assert several.targets.tolist() == [[1, 0, 1], [1, 0, 0], [0, 0, 1]]
    assert several.targets.dtype == np.float32
    assert len(with_names(Rows(["a"], np.array([0]), [1]), ["0", "1"], {})) == 1


def fit(folder: Path, task: str, targets: np.ndarray, workspace: Path, device, **changes):
    job = FitJob(
        encoder=folder, task=task, labels=LABELS, descriptions={"meal": "what people eat"},
        training=Rows(TEXTS, targets, range(1, 13)), validation=None, settings=SETTINGS.model_copy(update=changes),
        seed=5, device=device, workspace=workspace, cache=None, max_length=9,
    )  # fmt: skip
    return STRATEGIES["contrastive"].fit(job)


def test_the_strategy_fits_a_head_and_its_export_answers_alike(make_encoder, cpu, tmp_path):
    fitted = fit(make_encoder("bert", "mean"), "text-classification", CLASSES, tmp_path / "work", cpu)
    found = fitted.model.outputs(TEXTS)
    assert (found.argmax(axis=1) == CLASSES).all()
    assert fitted.chosen["updates"] == 12
    assert fitted.chosen["names"] == 2
    fitted.model.save(tmp_path / "model")
    loaded = load_model(tmp_path / "model", cpu)
    assert loaded.labels == LABELS
    np.testing.assert_allclose(loaded.outputs(TEXTS), found, atol=1e-5)
    assert json.loads((tmp_path / "model" / "head.json").read_text())["max_length"] == 9
    assert (tmp_path / "work" / TUNED).is_dir()


def test_texts_of_several_classes_and_of_none(make_encoder, cpu, tmp_path):
    targets = np.zeros((12, 2), dtype=np.float32)
    targets[:6, 0] = targets[6:, 1] = 1
    targets[[1, 7]] = 1
    targets[[5, 11]] = 0
    fitted = fit(
        make_encoder("bert", "mean"), "multi-label", targets, tmp_path, cpu, min_steps=60, most_steps=60, head_c=64.0
    )
    found = fitted.model.outputs(TEXTS)
    assert ((found >= fitted.model.thresholds) == (targets > 0)).mean() > 0.8
    fitted.model.save(tmp_path / "model")
    np.testing.assert_allclose(load_model(tmp_path / "model", cpu).outputs(TEXTS), found, atol=1e-5)


def test_balanced_classes_help_the_rare_one(make_encoder, cpu, tmp_path):
    targets = np.array([0] * 10 + [1] * 2)
    folder, short = make_encoder("bert", "mean"), {"min_steps": 1, "most_steps": 1}
    found = []
    for number, balanced in enumerate((False, True)):
        job = FitJob(
            encoder=folder, task="text-classification", labels=LABELS, descriptions={},
            training=Rows(TEXTS, targets, range(1, 13)), validation=None,
            settings=SETTINGS.model_copy(update=short), seed=5, device=cpu, workspace=tmp_path / str(number),
            cache=None, balanced=balanced,
        )  # fmt: skip
        found.append(STRATEGIES["contrastive"].fit(job).model.outputs(TEXTS[10:])[:, 1].mean())
    assert found[1] > found[0] + 0.1
