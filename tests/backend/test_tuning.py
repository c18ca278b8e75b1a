import numpy as np
import pytest
import torch

from advisor.backend.checkpoint import BEST, LAST
from advisor.backend.layers import recomputed
from advisor.backend.rows import Rows
from advisor.backend.tuned import TunedModel
from advisor.backend.tuning import fine_tune
from advisor.backend.tuning_settings import TuningSettings
from advisor.errors import RunError
from advisor.strategies import STRATEGIES, FitJob

CLASSES = ["negative", "positive"]
TEXTS = [
    "good film",
    "bad film",
    "a very good meal",
    "a really bad meal of the trip",
    "great service",
    "awful service",
    "the room really great",
    "the room awful",
    "great great trip",
    "not good a poor film",
    "fine",
    "poor",
    "good",
]


def rows(texts, classes):
    return Rows(texts, np.array(classes), list(range(len(texts))))


TRAINING = rows(TEXTS, [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
VALIDATION = rows(["a great film", "the awful meal", "good trip", "bad room"], [1, 0, 1, 0])
SETTINGS = TuningSettings(
    learning_rate=1e-3,
    head_learning_rate=1e-2,
    head_c=None,
    weight_decay=0.01,
    warmup_fraction=0.1,
    schedule="linear",
    epochs=2,
    min_steps=12,
    enough_steps=1000,
    fewest_epochs=1,
    batch_size=4,
    batch_tokens=512,
    gradient_norm=1.0,
    label_smoothing=0.1,
    dropout=True,
    freeze_token_embeddings=False,
    long_texts="truncate",
    overlap=0.3,
    longest_answer=30,
    layer_decay=1.0,
    gradual_share=0.0,
    class_weights="balanced",
    evaluations=4,
    patience=4,
)


@pytest.fixture(scope="module")
def tune(make_encoder, cpu):
    encoder = make_encoder("bert", "mean")

    def run(changes=None, training=TRAINING, validation=VALIDATION, **arguments):
        settings = SETTINGS.model_copy(update=changes or {})
        call = {"seed": 5, "device": cpu, **arguments}
        return fine_tune(encoder, "text-classification", CLASSES, training, validation, settings, **call)

    return run


def weights(classifier: TunedModel) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in classifier.model.named_parameters()}


def same(left: TunedModel, right: TunedModel) -> bool:
    return all(torch.equal(value, weights(right)[name]) for name, value in weights(left).items())


def test_it_learns_and_says_how(tune):
    reports, events = [], []
    tuned = tune(
        {"min_steps": 60, "dropout": False},
        progress=lambda step, steps, loss: reports.append((step, steps, loss)),
        on_event=events.append,
    )
    assert (tuned.outputs(TEXTS).argmax(1) == TRAINING.targets).mean() > 0.9
    assert reports[-1][:2] == (60, 60)
    assert reports[-1][2] < reports[0][2]
    assert [record["step"] for record in tuned.history] == [15, 30, 45, 60]
    assert [event["event"] for event in events] == ["head", "training", *["evaluation"] * 4, "tuned"]


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tune):
    first = tune()
    assert same(first, tune())
    assert not same(first, tune(seed=6))


def test_training_does_not_touch_global_randomness(tune):
    before = torch.random.get_rng_state()
    tune()
    assert torch.equal(before, torch.random.get_rng_state())


def test_computing_activations_again_keeps_less(tune):
    model = tune({"min_steps": 1}).model
    ids = torch.randint(5, 20, (4, 16))

    def kept(on):
        sizes = []
        with (
            torch.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.nbytes) or t, lambda t: t),
            recomputed(model, on=on),
        ):
            model(input_ids=ids)
        return sum(sizes)

    assert kept(on=True) < kept(on=False) / 2


@pytest.mark.parametrize("changes", [{}, {"batch_tokens": 16}, {"dropout": False}])
def test_computing_activations_again_gives_the_same_weights(tune, changes):
    recomputed = tune({**changes, "recompute": True})
    assert same(recomputed, tune(changes))
    assert all("forward" not in vars(module) for module in recomputed.model.modules())


class Interrupted(Exception):
    pass


@pytest.mark.parametrize(("stop_at", "head_c"), [(1, None), (3, 1.0), (7, None), (12, 1.0)])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(tune, tmp_path, stop_at, head_c):
    def interrupt(step, steps, loss):
        if step == stop_at:
            raise Interrupted

    with pytest.raises(Interrupted):
        tune({"head_c": head_c}, checkpoints=tmp_path, save_seconds=0.0, progress=interrupt)
    events, steps = [], []
    resumed = tune(
        {"head_c": head_c},
        checkpoints=tmp_path,
        on_event=events.append,
        progress=lambda step, *_: steps.append(step),
    )
    whole = tune({"head_c": head_c})
    assert same(resumed, whole)
    assert resumed.history == whole.history
    assert {"event": "resumed", "step": stop_at, "steps": 12} in events
    assert steps == list(range(stop_at + 1, 13))


def test_a_run_killed_between_two_checkpoints_repeats_only_what_was_lost(tune, tmp_path):
    def interrupt(step, steps, loss):
        if step == 5:
            raise Interrupted

    with pytest.raises(Interrupted):
        tune(checkpoints=tmp_path, save_seconds=1e9, progress=interrupt)
    assert not (tmp_path / LAST).exists()
    assert same(tune(checkpoints=tmp_path), tune())
    assert (tmp_path / LAST).exists()
    assert (tmp_path / BEST).exists()


def test_a_finished_run_is_taken_up_without_another_step(tune, tmp_path):
    whole = tune(checkpoints=tmp_path)
    steps = []
    assert same(tune(checkpoints=tmp_path, progress=lambda step, *_: steps.append(step)), whole)
    assert steps == []


@pytest.mark.parametrize(
    "other",
    [
        {"changes": {"learning_rate": 2e-3}},
        {"seed": 1},
        {"training": rows(TEXTS, [1] * 6 + [0] * 7)},
    ],
)
def test_a_checkpoint_of_other_settings_or_data_is_refused(tune, tmp_path, other):
    tune(checkpoints=tmp_path)
    with pytest.raises(RunError, match="holds a checkpoint of other settings, data or encoder"):
        tune(checkpoints=tmp_path, **other)


def test_a_missing_best_checkpoint_is_refused(tune, tmp_path):
    tune(checkpoints=tmp_path)
    (tmp_path / BEST).unlink()
    with pytest.raises(RunError, match="is missing"):
        tune(checkpoints=tmp_path)


def test_small_parts_give_the_gradients_of_the_whole_batch(tune):
    plain = {"dropout": False, "min_steps": 3, "epochs": 0.1}
    whole = weights(tune(plain, validation=None))
    parts = weights(tune({**plain, "batch_tokens": 1}, validation=None))
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "failure",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError(),
    ],
)
def test_exhausted_memory_halves_what_is_computed_at_once(tune, monkeypatch, failure):
    logits = TunedModel.logits

    def most_two_rows(self, rows):
        if len(rows) > 2:
            raise failure
        return logits(self, rows)

    plain = {"dropout": False, "min_steps": 3, "epochs": 0.1}
    whole = weights(tune(plain, validation=None))
    monkeypatch.setattr(TunedModel, "logits", most_two_rows)
    events = []
    small = weights(tune(plain, validation=None, on_event=events.append))
    assert any(event["event"] == "out of memory" for event in events)
    for name, value in whole.items():
        torch.testing.assert_close(small[name], value, atol=1e-5, rtol=0)


def test_a_single_text_too_many_ends_in_one_sentence(tune, monkeypatch):
    def none(self, rows):
        raise MemoryError

    monkeypatch.setattr(TunedModel, "logits", none)
    with pytest.raises(RunError, match=r"out of memory on a single text of .* max_length"):
        tune(validation=None)


def test_an_optimiser_that_does_not_fit_ends_in_one_sentence(tune, monkeypatch):
    def none(self, closure=None):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    monkeypatch.setattr(torch.optim.AdamW, "step", none)
    with pytest.raises(RunError, match="optimiser's state does not fit in memory"):
        tune(validation=None)


def test_other_failures_are_not_mistaken_for_memory(tune, monkeypatch):
    def broken(self, rows):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(TunedModel, "logits", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        tune(validation=None)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_training_that_diverges_ends_in_one_sentence(tune, monkeypatch, value):
    whole, steps = TunedModel.logits, []

    def diverging(self, units):
        found = whole(self, units)
        return found * value if torch.is_grad_enabled() and len(steps) == 3 else found

    monkeypatch.setattr(TunedModel, "logits", diverging)
    with pytest.raises(RunError, match="diverged at step 4 of 12; set a lower learning_rate"):
        tune(validation=None, progress=lambda step, *_: steps.append(step))


def test_it_stops_early_and_returns_the_best_weights(tune):
    events = []
    stopped = tune(
        {"learning_rate": 1e-12, "head_learning_rate": 1e-12, "patience": 1, "evaluations": 6},
        validation=rows(["good", "bad"], [1, 0]),
        on_event=events.append,
    )
    best = [event["best"] for event in events if event["event"] == "evaluation"]
    assert best[0]
    best_step = next(event["best_step"] for event in events if event["event"] == "tuned")
    steps = {record["step"]: (record["accuracy"], -record["loss"]) for record in stopped.history}
    assert max(steps, key=lambda step: steps[step]) == best_step
    assert not best[-1] or len(best) == 6


def test_without_validation_it_trains_to_the_end(tune, tmp_path):
    reports = []
    tuned = tune(validation=None, checkpoints=tmp_path, progress=lambda step, *_: reports.append(step))
    assert reports == list(range(1, 13))
    assert tuned.history == []
    assert not (tmp_path / BEST).exists()


def test_frozen_token_embeddings_stay_and_the_rest_moves(tune):
    start, end = (
        weights(tune({"min_steps": 1, "epochs": 0.1, "learning_rate": 1e-30})),
        weights(tune({"freeze_token_embeddings": True})),
    )
    assert torch.equal(start["bert.embeddings.word_embeddings.weight"], end["bert.embeddings.word_embeddings.weight"])
    assert not torch.equal(
        start["bert.encoder.layer.0.attention.self.query.weight"],
        end["bert.encoder.layer.0.attention.self.query.weight"],
    )


def test_balanced_weights_help_the_rare_class(tune):
    training = rows(["good film"] * 11 + ["bad film"], [1] * 11 + [0])
    short = {"min_steps": 6, "epochs": 0.1, "label_smoothing": 0.0, "dropout": False}
    plain = tune({**short, "class_weights": "none"}, training=training, validation=None)
    balanced = tune(short, training=training, validation=None)
    rare = [found.outputs(["bad film"])[0, 0] for found in (plain, balanced)]
    assert rare[1] > rare[0]


def test_every_row_is_seen_once_an_epoch_in_an_order_that_changes(tune, monkeypatch):
    seen = []
    logits = TunedModel.logits

    def record(self, rows):
        seen.extend(tuple(unit.ids) for unit in rows)
        return logits(self, rows)

    monkeypatch.setattr(TunedModel, "logits", record)
    tuned = tune({"epochs": 2, "min_steps": 1}, validation=None)
    rows = sorted(tuple(unit.ids) for unit in tuned.units(TEXTS))
    assert sorted(seen[: len(TEXTS)]) == rows == sorted(seen[len(TEXTS) :])
    assert seen[: len(TEXTS)] != seen[len(TEXTS) :]


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_both_schedules_learn(tune, schedule):
    tuned = tune({"schedule": schedule, "min_steps": 40, "dropout": False})
    assert np.mean(tuned.outputs(TEXTS).argmax(1) == TRAINING.targets) > 0.8


def test_a_job_of_the_strategy_is_carried_out(make_encoder, cpu, tmp_path):
    job = FitJob(
        encoder=make_encoder("bert", "mean"),
        task="text-classification",
        labels=CLASSES,
        descriptions={},
        training=TRAINING,
        validation=VALIDATION,
        settings=SETTINGS,
        seed=5,
        device=cpu,
        workspace=tmp_path,
        cache=None,
        max_length=7,
    )
    fitted = STRATEGIES["full-fine-tuning"].fit(job)
    assert fitted.model.labels == CLASSES
    assert fitted.model.max_length == 7
    assert len(fitted.chosen["evaluations"]) == 4
    assert (tmp_path / LAST).exists()
