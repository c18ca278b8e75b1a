"""Usage: the command that asks a run's model, and Python that does so with transformers alone."""

from shlex import quote

from advisor.tasks import TASKS

_WRITING = """\
from transformers import pipeline

write = pipeline("text-generation", model="model")
print(write([{"role": "user", "content": "…"}], max_new_tokens=256, do_sample=False, return_full_text=False))
"""
_PIPELINES = {
    "text-classification": """\
from transformers import pipeline

classify = pipeline("text-classification", model="model")
print(classify(["…"], top_k=None, truncation=True))
""",
    "multi-label": """\
from transformers import pipeline

classify = pipeline("text-classification", model="model")
config = classify.model.config
least = dict(zip(config.id2label.values(), config.adaptation.get("thresholds", [0.5] * config.num_labels)))
for scores in classify(["…"], top_k=None, truncation=True, function_to_apply="sigmoid"):
    print([row for row in scores if row["score"] >= least[row["label"]]])
""",
    "pair-classification": """\
from transformers import pipeline

classify = pipeline("text-classification", model="model")
print(classify([{"text": "…", "text_pair": "…"}], top_k=None, truncation=True))
""",
    "regression": """\
from transformers import pipeline

estimate = pipeline("text-classification", model="model")
print(estimate([ONE], truncation=True, function_to_apply="none"))
""",
    "token-classification": """\
from transformers import pipeline

tag = pipeline("token-classification", model="model", aggregation_strategy="first")
print(tag(["…"]))
""",
    "question-answering": """\
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

question, context = "…", "…"

model, tokenizer = AutoModelForQuestionAnswering.from_pretrained("model"), AutoTokenizer.from_pretrained("model")
read = tokenizer(question, context, truncation="only_second", return_offsets_mapping=True, return_tensors="pt")
places, inside = read.pop("offset_mapping")[0], torch.tensor([part == 1 for part in read.sequence_ids()])
with torch.inference_mode():
    output = model(**read)
starts, ends = (logits[0].masked_fill(~inside, -1e9) for logits in (output.start_logits, output.end_logits))
backwards = 1e9 * torch.ones(len(starts), len(ends)).tril(-1)
first, last = divmod(int((starts[:, None] + ends - backwards).argmax()), len(ends))
print(context[places[first, 0] : places[last, 1]])
""",
    **dict.fromkeys(("generation", "preference"), _WRITING),
}


def command(task: str, folder: str, *, pairs: bool) -> str:
    """Return the command that asks the model of a run folder; ``pairs`` as for `pipeline_usage`."""
    if TASKS[task].reads == "question":
        typed = '"a question?" "a text with the answer"'
    elif TASKS[task].reads == "prompt":
        typed = '"a prompt"'
    else:
        typed = '"one text" "the other"' if pairs else '"some text"'
    return f"advisor predict {quote(folder)} {typed}"


def pipeline_usage(task: str, *, pairs: bool) -> str:
    """Return the lines of Python that use a whole model in ``model`` with transformers alone.

    Args:
        task: id of the task.
        pairs: whether a row is a pair of texts.
    """
    one = '{"text": "…", "text_pair": "…"}' if pairs else '"…"'
    return _PIPELINES[task].replace("ONE", one)


_ADAPTED = """\
from peft import PeftConfig, PeftModel
from transformers import AutoConfig, KIND

base = PeftConfig.from_pretrained("model").base_model_name_or_path
pretrained = KIND.from_pretrained(base, config=AutoConfig.from_pretrained("model"))
model = PeftModel.from_pretrained(pretrained, "model").merge_and_unload()

"""
_KINDS = {
    "text": "AutoModelForCausalLM",
    "preference": "AutoModelForCausalLM",
    "tags": "AutoModelForTokenClassification",
    "span": "AutoModelForQuestionAnswering",
}


def adapter_usage(task: str, *, pairs: bool) -> str:
    """Return the same for adapters in ``model`` that are kept apart from their pre-trained model, with PEFT."""
    kind = _KINDS.get(TASKS[task].predicts, "AutoModelForSequenceClassification")
    lines = pipeline_usage(task, pairs=pairs)
    lines = lines.replace('model="model"', 'model=model, tokenizer="model"')
    lines = lines.replace(f"model, tokenizer = {kind}", "tokenizer = AutoTokenizer").replace(
        ', AutoTokenizer.from_pretrained("model")\n', "\n"
    )
    return _ADAPTED.replace("KIND", kind) + lines


def trusting(lines: str) -> str:
    """Return lines of Python that load a model together with Python code of its own."""
    for loading in ('from_pretrained("model"', 'pipeline("text-classification", model="model"',
                    'pipeline("token-classification", model="model"',
                    'pipeline("text-generation", model="model"'):  # fmt: skip
        lines = lines.replace(loading, f"{loading}, trust_remote_code=True")
    return lines
