"""Prompts and answers as token ids, with a chat template and without one."""

import pytest

from advisor.backend.alignment.chats import Chats
from advisor.backend.loading import load_tokenizer
from advisor.errors import InputError
from advisor.tasks import Chat, Message
from tests.backend.alignment.conftest import MakeGenerator

TALK = Chat((Message("system", "be brief"), Message("user", "which colour?")))
STRICT = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"


@pytest.mark.parametrize("chat", [True, False])
def test_an_answer_begins_where_its_prompt_ends(generator: MakeGenerator, chat: bool) -> None:
    chats = Chats(load_tokenizer(generator(chat=chat)))
    for one in ("which colour has the sky?", TALK):
        prompt, found = chats.prompt(one), chats.answered(one, "it is blue.")
        assert found.ids[: found.prompt] == prompt
        assert "it is blue." in chats.tokenizer.decode(found.ids[found.prompt :])
        ends = chats.ends(None)
        assert [token for token in found.ids[found.prompt :] if token in ends]
        assert chats.tokenizer.eos_token_id in ends


def test_a_plain_template_is_kept_with_the_tokenizer(generator: MakeGenerator, tmp_path: object) -> None:
    chats = Chats(load_tokenizer(generator()))
    chats.tokenizer.save_pretrained(tmp_path)
    again = Chats(load_tokenizer(tmp_path))  # type: ignore[arg-type]
    assert again.prompt(TALK) == chats.prompt(TALK)
    text = chats.tokenizer.decode(chats.answered(TALK, " it is blue. ").ids)
    assert text == "System:\nbe brief\n\nUser:\nwhich colour?\n\nAssistant:\nit is blue.<|endoftext|>"


def test_a_template_that_knows_no_system_gets_it_from_the_user(generator: MakeGenerator) -> None:
    tokenizer = load_tokenizer(generator(chat=True))
    tokenizer.chat_template = STRICT + tokenizer.chat_template
    assert Chats(tokenizer).messages(TALK) == [{"role": "user", "content": "be brief\n\nwhich colour?"}]


def test_refused_messages_are_told(generator: MakeGenerator) -> None:
    tokenizer = load_tokenizer(generator(chat=True))
    tokenizer.chat_template = "{{ raise_exception('roles must alternate') }}"
    with pytest.raises(InputError, match="chat template refuses messages of user \\(roles must alternate\\)"):
        Chats(tokenizer).prompt("a")


def test_a_tokenizer_that_cannot_end_an_answer_is_refused(generator: MakeGenerator) -> None:
    tokenizer = load_tokenizer(generator())
    tokenizer.eos_token = None
    with pytest.raises(ValueError, match="no token that ends an answer"):
        Chats(tokenizer)
