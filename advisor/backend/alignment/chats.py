"""Chats as token ids: prompts and answers put into a model's chat template, or into a plain one where it has none."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from advisor.backend.alignment.settings import PLAIN_TEMPLATE
from advisor.errors import InputError
from advisor.tasks import Chat, Input

_ANSWER = "a"


class Answered(NamedTuple):
    """A prompt with an answer as token ids, and how many of them are the prompt's."""

    ids: list[int]
    prompt: int


class Chats:
    """How a tokenizer writes chats.

    A tokenizer without a chat template is given a plain one, which is saved with it.
    """

    def __init__(self, tokenizer: Any) -> None:
        if tokenizer.eos_token is None:
            raise ValueError("its tokenizer has no token that ends an answer; give it an eos_token")
        if not tokenizer.chat_template:
            first = tokenizer(_ANSWER)["input_ids"][0]
            begins = tokenizer.bos_token_id is not None and first == tokenizer.bos_token_id
            tokenizer.chat_template = PLAIN_TEMPLATE.replace("BOS", "{{ bos_token }}" if begins else "")
        self.tokenizer = tokenizer
        self._takes_system = self._accepts([{"role": "system", "content": "a"}, {"role": "user", "content": "b"}])

    def messages(self, one: Input) -> list[dict[str, str]]:
        """Return a prompt as messages; where the template knows no system, the user says what the system would."""
        if not isinstance(one, Chat):
            return [{"role": "user", "content": str(one)}]
        found = [{"role": role, "content": content} for role, content in one.messages]
        if self._takes_system or len(found) < 2 or found[0]["role"] != "system":
            return found
        system, user, *rest = found
        return [{"role": "user", "content": f"{system['content']}\n\n{user['content']}"}, *rest]

    def prompt(self, one: Input) -> list[int]:
        """Return the ids after which an answer begins.

        Raises:
            InputError: the template refuses the messages.
        """
        return self._ids(self.messages(one), add_generation_prompt=True)

    def answered(self, one: Input, answer: str) -> Answered:
        """Return the ids of a prompt with its answer; the answer begins where they part from the prompt's own.

        Raises:
            InputError: the template refuses the messages.
        """
        prompt = self.prompt(one)
        ids = self._ids([*self.messages(one), {"role": "assistant", "content": answer}])
        same = next((place for place, pair in enumerate(zip(prompt, ids, strict=False)) if pair[0] != pair[1]), None)
        return Answered(ids, min(len(prompt), len(ids)) if same is None else same)

    def ends(self, config: Any) -> list[int]:
        """Return the tokens that end an answer: those of the tokenizer, of a generation config and of the template."""
        named = getattr(config, "eos_token_id", None)
        found = [self.tokenizer.eos_token_id, *(named if isinstance(named, Sequence) else [named])]
        whole, start = self.answered("b", _ANSWER)
        special = set(self.tokenizer.all_special_ids)
        found += [token for token in whole[start:] if token in special][:1]
        return sorted({token for token in found if token is not None})

    def _ids(self, messages: list[dict[str, str]], **options: Any) -> list[int]:
        try:
            found = self.tokenizer.apply_chat_template(
                messages, tokenize=True, return_dict=False, tokenizer_kwargs={"verbose": False}, **options
            )
        except Exception as refused:
            roles = ", ".join(message["role"] for message in messages)
            reason = " ".join(str(refused).split())[:120]
            raise InputError(f"the model's chat template refuses messages of {roles} ({reason})") from None
        return list(found)

    def _accepts(self, messages: list[dict[str, str]]) -> bool:
        try:
            self._ids(messages)
        except InputError:
            return False
        return True
