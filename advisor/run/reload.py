"""A fresh reader of an exported model: loads it as its card says, with transformers alone, and predicts.

Run as a script, ``python reload.py MODEL_FOLDER``: JSON in on stdin ``{"task": …, "inputs": […], "labels": […],
"trust_remote_code": …}``, JSON out on stdout, one list of numbers a row, or a word where words are tagged. It imports
nothing of the advisor, so anyone can do it.
"""

import json
import sys
from pathlib import Path
from typing import Any

Rows = list[list[float]]
_TRUST: dict[str, Any] = {"trust_remote_code": False}


def loaded(folder: str, kind: str) -> Any:
    """Load a model with its head; adapters that are kept apart are put on their pre-trained model."""
    import torch
    import transformers

    auto = getattr(transformers, kind)
    if not Path(folder, "adapter_config.json").exists():
        return auto.from_pretrained(folder, dtype=torch.float32, **_TRUST).eval()
    from peft import PeftConfig, PeftModel

    kept, config = PeftConfig.from_pretrained(folder), transformers.AutoConfig.from_pretrained(folder, **_TRUST)
    base, revision = kept.base_model_name_or_path, kept.revision or "main"
    pretrained = auto.from_pretrained(base, revision=revision, config=config, dtype=torch.float32, **_TRUST)
    model: Any = PeftModel.from_pretrained(pretrained, folder)
    return model.merge_and_unload().eval()


def tuned(folder: str, task: str, inputs: list[Any], labels: list[str]) -> Rows:
    """Predict with a tuned model."""
    if task in ("generation", "preference"):
        return prompts(folder, inputs)
    if task == "token-classification":
        return tags(folder, inputs, labels)
    if task == "question-answering":
        return spans(folder, inputs)
    return texts(folder, task, inputs, labels)


def texts(folder: str, task: str, inputs: list[Any], labels: list[str]) -> Rows:
    """Predict with ``pipeline``; a long text is cut as the model's configuration says."""
    from transformers import pipeline

    adapted = Path(folder, "adapter_config.json").exists()
    model = loaded(folder, "AutoModelForSequenceClassification") if adapted else folder
    classify: Any = pipeline("text-classification", model=model, tokenizer=folder, device=-1, **_TRUST)
    how = classify.model.config.adaptation
    asked = [{"text": one[0], "text_pair": one[1]} if isinstance(one, list) else one for one in inputs]
    applied = {"function_to_apply": "none"} if task == "regression" else {}
    if how["long_texts"] != "truncate" and asked and isinstance(asked[0], str):
        return [_averaged(classify, text, how, labels) for text in inputs]
    rows = classify(asked, top_k=None, truncation=True, max_length=how["max_length"], **applied)
    return [_in_order(row, labels or ["value"]) for row in rows]


def _averaged(classify: Any, text: str, how: dict[str, Any], labels: list[str]) -> list[float]:
    """Average over the parts of a text that are read."""
    import torch

    tokenizer = classify.tokenizer
    framed = tokenizer("a", return_special_tokens_mask=True)
    opening = framed["input_ids"][: framed["special_tokens_mask"].index(0)]
    closing = framed["input_ids"][len(framed["input_ids"]) - framed["special_tokens_mask"][::-1].index(0) :]
    ids, room = tokenizer(text, add_special_tokens=False)["input_ids"], how["max_length"] - len(opening) - len(closing)
    if len(ids) <= room:
        parts = [ids]
    elif how["long_texts"] == "head-tail":
        parts = [ids[: room // 4] + ids[len(ids) - (room - room // 4) :]]
    else:
        size = -(-len(ids) // -(-len(ids) // room))
        parts = [ids[start : start + size] for start in range(0, len(ids), size)]
    config, found = classify.model.config, []
    with torch.inference_mode():
        for part in parts:
            logits = classify.model(input_ids=torch.tensor([[*opening, *part, *closing]])).logits[0]
            kind = config.problem_type
            found.append(logits if kind == "regression" else logits.softmax(0) if kind[0] == "s" else logits.sigmoid())
    mean = torch.stack(found).mean(0).tolist()
    return [mean[config.label2id[label]] for label in labels] if labels else mean


def _in_order(row: list[dict[str, Any]], labels: list[str]) -> list[float]:
    scores = {entry["label"]: float(entry["score"]) for entry in row}
    return [scores[label] for label in labels]


def tags(folder: str, inputs: list[list[str]], labels: list[str]) -> Rows:
    """Predict a tag for each word from its first token; a word without one is outside of everything."""
    import torch
    from transformers import AutoTokenizer

    model = loaded(folder, "AutoModelForTokenClassification")
    tokenizer = AutoTokenizer.from_pretrained(folder, **_TRUST)
    order = [model.config.label2id[label] for label in labels]
    found: Rows = []
    with torch.inference_mode():
        for words in inputs:
            batch = tokenizer([words], is_split_into_words=True, truncation=True, return_tensors="pt")
            rows = model(**batch).logits[0].softmax(-1)[:, order].tolist()
            numbers = batch.word_ids(0)
            outside = [float(label == "O") for label in labels]
            found += [rows[numbers.index(word)] if word in numbers else outside for word in range(len(words))]
    return found


def spans(folder: str, inputs: list[list[str]]) -> Rows:
    """Find the best span of each context, read in windows."""
    import torch
    from transformers import AutoTokenizer

    model = loaded(folder, "AutoModelForQuestionAnswering")
    tokenizer = AutoTokenizer.from_pretrained(folder, **_TRUST)
    how, limit = model.config.adaptation, tokenizer.model_max_length
    found: Rows = []
    for question, context in inputs:
        places = tokenizer(question, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        question = question if len(places) <= limit // 2 else question[: places[limit // 2 - 1][1]]
        spare = limit - len(tokenizer(question, "")["input_ids"])
        batch = tokenizer(
            [question], [context], truncation="only_second", stride=int(how["overlap"] * spare), max_length=limit,
            return_overflowing_tokens=True, return_offsets_mapping=True, padding=True, return_tensors="pt",
        )  # fmt: skip
        offsets, _ = batch.pop("offset_mapping").tolist(), batch.pop("overflow_to_sample_mapping", None)
        with torch.inference_mode():
            logits = model(**batch)
        best = (-float("inf"), 0.0, 0.0, 0.0)
        for window, (starts, ends) in enumerate(zip(logits.start_logits, logits.end_logits, strict=True)):
            inside = [
                place
                for place, of in enumerate(batch.sequence_ids(window))
                if of == 1 and offsets[window][place][1] > offsets[window][place][0]
            ]
            if not inside:
                continue
            starts, ends = starts[inside].double(), ends[inside].double()
            sums = starts[:, None] + ends[None, :]
            allowed = torch.ones_like(sums).triu() - torch.ones_like(sums).triu(how["longest_answer"])
            place = int(sums.masked_fill(allowed == 0, -float("inf")).argmax())
            first, last = divmod(place, len(inside))
            share = float(starts.softmax(0)[first] * ends.softmax(0)[last])
            here = offsets[window][inside[first]][0], offsets[window][inside[last]][1]
            best = max(best, (float(sums[first, last]), float(here[0]), float(here[1]), share))
        found.append(list(best[1:]))
    return found


def prompts(folder: str, inputs: list[Any]) -> Rows:
    """Return how likely each prompt's own tokens are, and the likeliest token after it."""
    import torch
    from transformers import AutoTokenizer

    details = json.loads(Path(folder, "generator.json").read_text(encoding="utf-8"))
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, **_TRUST)
    model = loaded(folder, "AutoModelForCausalLM")
    found: Rows = []
    for one in inputs:
        messages = [{"role": "user", "content": one}] if isinstance(one, str) else _messages(one, tokenizer)
        whole = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=True, return_dict=False)
        ids = torch.tensor(whole[: details["max_length"]])
        with torch.inference_mode():
            chances = model(input_ids=ids[None]).logits[0].log_softmax(-1)
        own = chances[:-1].gather(1, ids[1:, None])
        found.append([float(own.mean()) if len(ids) > 1 else 0.0, float(chances[-1].max())])
    return found


def _messages(chat: list[Any], tokenizer: Any) -> list[dict[str, str]]:
    """Return a chat as messages; where the template knows no system, the user says what the system would."""
    from jinja2 import TemplateError

    messages = [{"role": role, "content": content} for role, content in chat[0]]
    if messages[0]["role"] == "system" and len(messages) > 1:
        try:
            tokenizer.apply_chat_template([{"role": "system", "content": "a"}, {"role": "user", "content": "b"}])
        except TemplateError:
            said = f"{messages[0]['content']}\n\n{messages[1]['content']}"
            return [{"role": "user", "content": said}, *messages[2:]]
    return messages


class Frozen:
    """A frozen encoder and its linear head."""

    def __init__(self, folder: str) -> None:
        import torch
        from safetensors.torch import load_file
        from transformers import AutoModel, AutoTokenizer

        self.torch = torch
        self.encoder: Any = AutoModel.from_pretrained(folder, dtype=torch.float32, **_TRUST).eval()
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, **_TRUST)
        self.head = load_file(f"{folder}/head.safetensors")
        self.info: dict[str, Any] = {"schema": 1, "task": "text-classification", "reads": "text", "layers": []}
        self.info |= {"long_texts": "truncate", **json.loads(Path(folder, "head.json").read_text(encoding="utf-8"))}

    def predict(self, inputs: list[Any], labels: list[str]) -> Rows:
        """Answer inputs one by one."""
        with self.torch.inference_mode():
            found = [row for one in inputs for row in self.answers(one)]
        order = [self.info["labels"].index(label) for label in labels] or [0]
        return [[row[place] for place in order] for row in found]

    def answers(self, one: Any) -> Rows:
        """Return the outputs for one input: a row, or one a word."""
        if self.info["reads"] == "words":
            return self.tags(one)
        if self.info["reads"] == "pair":
            first, second = self.vector(one[0]), self.vector(one[1])
            vector = self.torch.cat([first, second, (first - second).abs(), first * second])
        else:
            vector = self.vector(one)
        logits = vector @ self.head["weight"].T + self.head["bias"]
        if self.info["task"] == "regression":
            return [logits.tolist()]
        return [(logits.sigmoid() if self.info["task"] == "multi-label" else logits.softmax(0)).tolist()]

    def tags(self, words: list[str]) -> Rows:
        """Return the probabilities of each word's tags; a word beyond the limit is outside of everything."""
        limit = self.info["max_length"]
        batch = self.tokenizer(
            [words], is_split_into_words=True, truncation=True, max_length=limit, return_tensors="pt"
        )
        tokens, numbers = self.hidden(batch)[0], batch.word_ids(0)
        found: Rows = []
        for word in range(len(words)):
            places = [place for place, number in enumerate(numbers) if number == word]
            if places:
                vector = self.unit(tokens[places].mean(0))
                found.append((vector @ self.head["weight"].T + self.head["bias"]).softmax(0).tolist())
            else:
                found.append([float(label == "O") for label in self.info["labels"]])
        return found

    def vector(self, text: str) -> Any:
        """Return the vector of a text."""
        if self.info["long_texts"] == "truncate":
            limit = self.info["max_length"]
            parts = [self.tokenizer(text, truncation=True, max_length=limit)["input_ids"]]
        else:
            ids = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
            opening, closing = self.info["frame"]
            room = self.info["max_length"] - len(opening) - len(closing)
            if self.info["long_texts"] == "windows":
                size = -(-len(ids) // max(1, -(-len(ids) // room))) or 1
                kept = [ids[start : start + size] for start in range(0, len(ids), size)] or [ids]
            else:
                kept = [ids if len(ids) <= room else ids[: room // 4] + ids[room // 4 - room :]]
            parts = [[*opening, *part, *closing] for part in kept]
        pooled = []
        for part in parts:
            hidden = self.hidden({"input_ids": self.torch.tensor([part or [self.tokenizer.pad_token_id or 0]])})
            pooled.append({"cls": hidden[0, 0], "last": hidden[0, -1], "mean": hidden[0].mean(0)}[self.info["pooling"]])
        return self.unit(self.torch.stack(pooled).mean(0))

    def hidden(self, batch: Any) -> Any:
        """Return the tokens' vectors (rows, length, hidden)."""
        if not self.info["layers"]:
            return self.encoder(**batch).last_hidden_state
        states = self.encoder(**batch, output_hidden_states=True).hidden_states
        return self.torch.stack([states[layer] for layer in self.info["layers"]]).mean(0)

    def unit(self, vector: Any) -> Any:
        """Return a vector of length one."""
        return vector / vector.norm().clamp(min=1e-12)


def main() -> None:
    """Read the request, answer it."""
    folder, request = sys.argv[1], json.load(sys.stdin)
    task, inputs, labels = request["task"], request["inputs"], request["labels"]
    _TRUST["trust_remote_code"] = request["trust_remote_code"]
    if Path(folder, "head.json").exists():
        json.dump(Frozen(folder).predict(inputs, labels), sys.stdout)
    else:
        json.dump(tuned(folder, task, inputs, labels), sys.stdout)


if __name__ == "__main__":
    main()
