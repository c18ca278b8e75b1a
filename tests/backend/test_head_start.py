import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from advisor.backend.head_start import head_inputs, start_bias, start_head
from tests.backend.classifiers import new_model


@pytest.mark.parametrize("pooling", ["mean", None])
def test_a_started_head_is_a_logistic_regression_on_what_it_reads(make_encoder, cpu, pooling):
    made = new_model(make_encoder("bert", pooling), cpu, seed=0)
    texts = [
        "good film",
        "great film",
        "bad meal",
        "awful meal",
        "the room",
        "the service",
        "fine",
        "not fine",
    ]
    classes = np.array([2, 2, 0, 0, 1, 1, 2, 0])
    units = made.units(texts)
    start_head(made, units, classes, 0.5)
    inputs = head_inputs(made, units)
    assert inputs.shape == (8, 32)
    scaled = inputs / np.sqrt(np.square(inputs).sum(axis=1).mean())
    wanted = LogisticRegression(C=0.5, tol=1e-8, max_iter=1000).fit(scaled, classes).predict_proba(scaled)
    np.testing.assert_allclose(made.outputs(texts), wanted, atol=0.02)


def test_a_started_bias_is_what_is_answered_before_anything_is_learnt(make_encoder, cpu):
    made = new_model(make_encoder("bert", "mean"), cpu, seed=0)
    shares = np.array([0.5, 0.3, 0.2], dtype=np.float32)
    start_bias(made, np.log(shares))
    np.testing.assert_allclose(made.outputs(["good film"]), shares[None], atol=1e-5)
