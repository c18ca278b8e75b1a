"""A reader that packs many prompts into one sequence, as a tree: what they share is computed once.

Every token sees its own ancestors only, whatever else stands beside it, and counts its position from the root; so a
forward pass over the packed tree gives what one pass a branch would. The keys and values of the trunk that all prompts
share stay in the model's cache from one pass to the next. The idea is SpecInfer's tree attention (Miao et al. 2024,
https://arxiv.org/abs/2305.09781), used for scoring.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from advisor.backend.arrays import Flags
from advisor.backend.prompted.local.reader import TOO_LARGE, CausalNet, enough_memory, log_likelihoods
from advisor.backend.prompted.local.rendering import Asked, common_prefix
from advisor.backend.within_memory import Progress, by_batch
from advisor.settings import load_settings

_ROOT = -1


class PackedReader:
    """Reads prompts as branches of one tree, on the trunk that they share."""

    def __init__(self, net: CausalNet) -> None:
        from transformers import DynamicCache

        self.net = net
        # The mask of a pack grows with the square of its tokens.
        self.most_tokens = int(load_settings("computing.yaml")["prompted_tokens"])
        self._windows = attention_windows(net.model.config)
        # Without the configuration every layer keeps all it has seen, those of a sliding window too; the mask limits.
        self._cache: Any = DynamicCache()
        self._trunk: list[int] = []
        self._ancestors: Flags = np.zeros((0, 0), dtype=bool)
        self._depths: list[int] = []
        self._tips: list[int] = []

    def score(self, rows: Sequence[Asked], progress: Progress | None) -> list[list[float]]:
        """Return the mean log-likelihoods of answers, as `Reader` has it."""
        self.settle([row.trunk for row in rows])
        shared = len(self._trunk)
        trees = [_Tree.of(row, shared) for row in rows]
        found: list[list[float]] = [[] for _ in rows]

        def fill(some: NDArray[np.int64]) -> None:
            for row, scores in zip(some, self._score([trees[row] for row in some]), strict=True):
                found[row] = scores

        sizes = [len(tree.tokens) for tree in trees]
        by_batch(sizes, fill, self.net.device, progress, most_tokens=self.most_tokens, too_large=TOO_LARGE)
        return found

    def _score(self, trees: Sequence["_Tree"]) -> list[list[float]]:
        self._forget()
        tokens: list[int] = []
        parents: list[int] = []
        asked_at: list[int] = []
        answers: list[int] = []
        owners: list[tuple[int, int]] = []
        for number, tree in enumerate(trees):
            first = len(tokens)
            tokens += tree.tokens
            parents += [parent if parent == _ROOT else first + parent for parent in tree.parents]
            for choice, steps in enumerate(tree.answers):
                asked_at += [first + node for node, _ in steps]
                answers += [token for _, token in steps]
                owners += [(number, choice)] * len(steps)
        wanted = sorted(set(asked_at))
        logits = self._feed(tokens, parents, wanted)
        places = np.searchsorted(wanted, asked_at)
        likely = log_likelihoods(logits[self.net.ids(places.tolist())], self.net.ids(answers)).cpu().numpy()
        found: list[list[list[float]]] = [[[] for _ in tree.answers] for tree in trees]
        for (number, choice), one in zip(owners, likely, strict=True):
            found[number][choice].append(float(one))
        return [[float(np.mean(steps)) for steps in choices] for choices in found]

    def settle(self, rows: Sequence[Sequence[int]]) -> None:
        """Put what all rows begin with, but for each one's last token, into the cache; what is there is not redone."""
        self._forget()
        shared = min(common_prefix(rows), min(map(len, rows)) - 1)
        trunk = list(rows[0][:shared])
        held = common_prefix((self._trunk, trunk))
        self._crop(held)
        self._trunk = trunk[:held]
        while len(self._trunk) < shared:
            part = trunk[len(self._trunk) : len(self._trunk) + self.most_tokens]
            with enough_memory():
                self._feed(part, [*range(_ROOT, len(part) - 1)], [len(part) - 1])
            self._trunk += part
            self._reset()

    def size(self, row: Sequence[int]) -> int:
        """Those beyond the trunk are to be taken in."""
        return len(row) - len(self._trunk)

    def begin(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """Take in rows that begin with the trunk; return the logits of their next tokens."""
        self._forget()
        tokens: list[int] = []
        parents: list[int] = []
        tips = []
        for row in rows:
            own = row[len(self._trunk) :]
            parents += [_ROOT, *range(len(tokens), len(tokens) + len(own) - 1)]
            tokens += own
            tips.append(len(tokens) - 1)
        logits = self._feed(tokens, parents, tips)
        self._tips = tips
        return logits

    def follow(self, rows: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """Append a token to some rows; return the logits of their next."""
        before = len(self._depths)
        logits = self._feed(tokens, [self._tips[row] for row in rows], range(len(rows)))
        for place, row in enumerate(rows):
            self._tips[row] = before + place
        return logits

    @torch.inference_mode()
    def _feed(self, tokens: Sequence[int], parents: Sequence[int], wanted: Sequence[int]) -> Tensor:
        """Take in tokens that follow on others; return the logits (wanted, vocabulary) at some of them.

        Args:
            tokens: to take in.
            parents: what each follows on, numbered since the trunk; -1 for the trunk's end.
            wanted: which of these tokens' logits.
        """
        old, new = len(self._depths), len(self._depths) + len(tokens)
        seen: Flags = np.zeros((new, new), dtype=bool)
        seen[:old, :old] = self._ancestors
        depths = list(self._depths)
        for node, parent in enumerate(parents, start=old):
            if parent != _ROOT:
                seen[node] = seen[parent]
            seen[node, node] = True
            depths.append(0 if parent == _ROOT else depths[parent] + 1)
        trunk = len(self._trunk)
        positions = np.concatenate([np.arange(trunk), trunk + np.array(depths, dtype=np.int64)])
        visible = np.concatenate([np.ones((len(tokens), trunk), dtype=bool), seen[old:]], axis=1)
        logits = self.net.logits(
            wanted=self.net.ids(list(wanted)),
            input_ids=self.net.ids(tokens)[None],
            position_ids=self.net.ids(positions[trunk + old :].tolist())[None],
            attention_mask=self._mask(visible, positions),
            use_cache=True,
            **{str(self.net.cache_name): self._cache},
        )[0]
        self._ancestors, self._depths = seen, depths
        return logits

    def _mask(self, visible: Flags, positions: NDArray[np.int64]) -> Tensor | dict[str, Tensor]:
        """Return what attention adds to its scores: 0 where a token sees another, else the lowest number.

        Args:
            visible: (new tokens, all tokens), whether one is the other's ancestor.
            positions: of all tokens.
        """
        dtype = self.net.model.dtype
        masks = {}
        for kind, window in self._windows.items():
            inside = visible
            if window:
                inside = visible & (positions[-len(visible) :, None] - positions[None] < window)
            blocked = torch.from_numpy(~inside).to(self.net.device.torch)
            mask = torch.zeros(blocked.shape, dtype=dtype, device=self.net.device.torch)
            masks[kind] = mask.masked_fill_(blocked, torch.finfo(dtype).min)[None, None]
        return masks.get("", masks)

    def _forget(self) -> None:
        """Take everything but the trunk out of the cache."""
        self._crop(len(self._trunk))
        self._reset()

    def _reset(self) -> None:
        self._ancestors, self._depths, self._tips = np.zeros((0, 0), dtype=bool), [], []

    def _crop(self, length: int) -> None:
        for layer in self._cache.layers:
            if getattr(layer, "keys", None) is not None and layer.keys.numel():
                layer.keys, layer.values = layer.keys[..., :length, :], layer.values[..., :length, :]


class _Tree:
    """A row as a tree: the rest of its trunk, then its answers, shared as far as they are alike.

    Attributes:
        tokens: of the nodes, a parent before its children.
        parents: node numbers, -1 for the end of the trunk that all rows share.
        answers: for every choice, the nodes that its tokens follow on, and those tokens.
    """

    def __init__(self, trunk: Sequence[int]) -> None:
        self.tokens = list(trunk)
        self.parents = list(range(_ROOT, len(trunk) - 1))
        self.answers: list[list[tuple[int, int]]] = []
        self._children: dict[tuple[int, int], int] = {}

    @classmethod
    def of(cls, row: Asked, shared: int) -> "_Tree":
        """Return a row's tree above the first ``shared`` tokens of its trunk."""
        tree = cls(row.trunk[shared:])
        end = len(tree.tokens) - 1
        for tail, scored in zip(row.tails, row.scored, strict=True):
            node, steps = end, []
            for place, token in enumerate(tail):
                if place >= len(tail) - scored:
                    steps.append((node, token))
                if place < len(tail) - 1:
                    node = tree._child(node, token)
            tree.answers.append(steps)
        return tree

    def _child(self, node: int, token: int) -> int:
        if (node, token) not in self._children:
            self._children[node, token] = len(self.tokens)
            self.tokens.append(token)
            self.parents.append(node)
        return self._children[node, token]


def attention_windows(config: Any) -> dict[str, int]:
    """Return how many tokens back each kind of layer sees, 0 for all; the kind of a model with but one is ``""``.

    Args:
        config: of the model.

    Raises:
        ValueError: a layer does something else than attention to all or to the last tokens.
    """
    text = config.get_text_config(decoder=True)
    window = int(getattr(text, "sliding_window", None) or 0)
    kinds = set(getattr(text, "layer_types", None) or ())
    limits = {"full_attention": 0, "sliding_attention": window}
    if not kinds <= set(limits):
        raise ValueError(f"layers of {', '.join(sorted(kinds - set(limits)))}")
    if len(kinds) == 2:
        return limits
    return {"": limits[kinds.pop()] if kinds else window}
