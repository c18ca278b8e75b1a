import numpy as np
import pytest

from advisor.backend.dealing import Dealer


def dealt(targets, number, batch_size=32, texts_per_class=2, seed=1):
    dealer = Dealer(np.asarray(targets), batch_size, texts_per_class, seed)
    return [dealer.batch(step) for step in range(number)]


@pytest.mark.parametrize(("classes", "each"), [(77, 64), (3, 5000), (2, 20), (6, 8)])
def test_every_class_meets_itself_and_others_and_comes_as_often_as_the_others(classes, each):
    targets = np.repeat(np.arange(classes), each)
    batches = dealt(targets, 200)
    for batch in batches:
        assert len(set(batch.tolist())) == len(batch) <= 32
        counts = np.bincount(targets[batch], minlength=classes)
        assert (counts[counts > 0] >= 2).all()
        assert (counts > 0).sum() >= 2
    shares = np.bincount(targets[np.concatenate(batches)], minlength=classes)
    assert shares.min() >= 0.8 * shares.mean()


def test_the_texts_of_a_class_come_in_turn():
    targets = np.repeat([0, 1], 30)
    seen = np.bincount(np.concatenate(dealt(targets, 30, batch_size=16)), minlength=60)
    assert seen.max() - seen.min() <= 1


def test_a_rare_class_comes_as_often_as_a_common_one():
    targets = np.array([0] * 500 + [1] * 5)
    for batch in dealt(targets, 40):
        assert (targets[batch] == 1).sum() == 5
        assert (targets[batch] == 0).sum() == 16


def test_few_texts_all_meet_in_every_batch():
    assert all(batch.tolist() == list(range(12)) for batch in dealt(np.repeat([0, 1, 2], 4), 3))


def test_a_batch_is_the_same_whenever_it_is_asked_for_and_another_seed_deals_otherwise():
    targets = np.repeat(np.arange(9), 20)
    batches = dealt(targets, 12)
    dealer = Dealer(targets, 32, 2, 1)
    for number in (11, 3, 7, 7, 0):
        assert dealer.batch(number).tolist() == batches[number].tolist()
    assert any(a.tolist() != b.tolist() for a, b in zip(batches, dealt(targets, 12, seed=2), strict=True))


def test_texts_of_several_classes_and_of_none_all_come():
    generator = np.random.default_rng(0)
    targets = (generator.random((300, 6)) < 0.2).astype(np.float32)
    targets[:40] = 0
    batches = dealt(targets, 120)
    assert set(np.concatenate(batches).tolist()) == set(range(300))
    for batch in batches:
        assert len(set(batch.tolist())) == len(batch)


def test_one_class_alone_is_dealt_too():
    assert all(len(batch) == 32 for batch in dealt([0] * 100, 5))
