"""``transformers serve`` with a tiny causal model, started here: the same calls as of any server."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from advisor.backend.prompted.endpoint import Endpoint
from advisor.backend.prompted.language_model import Extract, Free
from advisor.backend.prompted.place import LanguageModelPlace
from advisor.backend.prompted.prompt import Prompt, Turn
from advisor.backend.prompted.settings import EndpointSettings
from advisor.knowledge.hyperparameters import default_values
from tests.architectures import byte_pairs

pytestmark = pytest.mark.slow
CHOICES = ["praise", "complaint"]
PROMPTS = [Prompt("Say praise or complaint.", (Turn("lovely", "praise"),), f"row {row}") for row in range(3)]
_TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The base URL and the model's name of a running server."""
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn")
    folder = tmp_path_factory.mktemp("served") / "tiny-llama"
    write_tiny_causal(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = "from transformers.cli.transformers import main; main()"
    command = [
        sys.executable,
        "-c",
        code,
        "serve",
        str(folder),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--device",
        "cpu",
    ]
    log = folder.parent / "log"
    with log.open("w", encoding="utf-8") as said:
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
    try:
        deadline = time.monotonic() + 120
        while not _answers(f"http://127.0.0.1:{port}/health"):
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1", str(folder)
    finally:
        process.terminate()
        process.wait(30)


def write_tiny_causal(folder: Path) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    names = {"eos_token": "<|end|>", "pad_token": "<|pad|>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=byte_pairs(names), chat_template=_TEMPLATE, **names)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=2048, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def test_transformers_serve_answers(served: tuple[str, str], tmp_path: Path) -> None:
    url, name = served
    settings = EndpointSettings.model_validate(default_values("endpoint"))
    place = LanguageModelPlace("llm-api", name, url=url, journal=tmp_path / "answers.jsonl")
    model = Endpoint(place, settings)
    assert model.abilities.system
    assert not model.abilities.likeliest
    assert not model.abilities.schema_kept
    scores = model.score(PROMPTS, CHOICES)
    assert np.exp(scores).sum(axis=1) == pytest.approx(1)
    # Random weights say nothing of the kind; that is counted and told.
    assert model.facts["invalid"] + (scores.max(axis=1) > np.log(0.6)).sum() == len(PROMPTS)
    free, extract = model.write(PROMPTS[:2], [Free(5), Extract("row 1")])
    assert not free.whole
    assert extract.text in "row 1"
    assert model.usage.requests > len(PROMPTS)
    again = Endpoint(place, settings)
    assert np.array_equal(again.score(PROMPTS, CHOICES), scores)
    assert again.usage.requests == 0


def test_tokens_that_the_server_counts_are_those_of_its_template(served: tuple[str, str]) -> None:
    from transformers import AutoTokenizer

    url, name = served
    model = Endpoint(
        LanguageModelPlace("llm-api", name, url=url), EndpointSettings.model_validate(default_values("endpoint"))
    )
    before = model.usage.tokens_in
    model.write(PROMPTS[:1], [Free(1)])
    tokens = AutoTokenizer.from_pretrained(name).apply_chat_template(
        PROMPTS[0].messages(), add_generation_prompt=True, tokenize=True, return_dict=True
    )["input_ids"]
    assert model.usage.tokens_in - before == len(tokens)
