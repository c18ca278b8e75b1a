"""The language model that a plan prompts: which one, where it answers, on which terms."""

import os
from pathlib import Path

from advisor.backend.prompted.address import read_address
from advisor.backend.prompted.secrecy import check_variable
from advisor.backend.prompted.templates import prompt_template
from advisor.decision.candidates import Candidate
from advisor.errors import InputError
from advisor.knowledge.weights import LocatedModel, locate_model
from advisor.plan.plan import PlannedModel, PlannedPrompting
from advisor.profile import Profile

_ASKED = "nothing: the language model answers in words"
_KEY_VARIABLE = "OPENAI_API_KEY"


def reachable(candidate: Candidate, profile: Profile) -> bool:
    """Return whether a run can be told where a candidate's model is; that of one that is tuned is always known."""
    if candidate.engine == "encoder" or candidate.strategy.family != "prompting":
        return True
    model = profile.model
    return bool(model.llm_name) and bool(model.llm_url or candidate.engine == "llm-local")


def planned_language_model(
    profile: Profile, candidate: Candidate, task: str, folder: Path
) -> tuple[PlannedModel, PlannedPrompting, LocatedModel | None]:
    """Return the language model of a candidate, how it is prompted, and where its files are if it runs in process.

    Args:
        profile: says where the model is and what may be spent.
        candidate: a prompting strategy on a language model, `reachable`.
        task: id of the task.
        folder: of the plan; relative paths start there.

    Raises:
        InputError: texts would leave though the profile does not say that they may, the model is not to be had, or its
            address or the name of its key's variable holds what may be a secret.
    """
    said, context = profile.model, profile.model.llm_context
    if said.llm_url is not None:
        read_address(said.llm_url)
    if said.llm_key_variable is not None:
        check_variable(said.llm_key_variable)
    if candidate.engine == "llm-api":
        _may_leave(profile)
    located = None
    if said.llm_url is None:
        located = locate_model(str(said.llm_name), said.revision, language_model=True)
        context = min(located.facts.context, context or located.facts.context)
    encoder = locate_model(str(candidate.facts["encoder"]))
    model = PlannedModel(
        id=str(said.llm_name) if located is None else model_id(located, folder),
        revision=located.revision if located else None,
        sha256=located.sha256 if located else None,
        files=dict(located.files) if located else {},
        discarded_head="none: its pre-training head is what answers",
        task_head=_ASKED,
        max_length=context or candidate.base.assumptions["model.llm_context"].value,
    )
    terms = PlannedPrompting(
        encoder=model_id(encoder, folder),
        encoder_sha256=encoder.sha256,
        url=said.llm_url,
        key_variable=said.llm_key_variable or (_KEY_VARIABLE if candidate.engine == "llm-api" else None),
        context=context,
        usd_per_million_in=said.llm_usd_per_million_in,
        usd_per_million_out=said.llm_usd_per_million_out,
        max_usd=said.llm_max_usd,
        template=prompt_template(task),
    )
    return model, terms, located


def model_id(located: LocatedModel, folder: Path) -> str:
    """Return how a plan in ``folder`` names a model: a folder's path from there, else its name."""
    if Path(located.name).is_dir():
        return Path(os.path.relpath(located.folder, folder.resolve())).as_posix()
    return located.name


def _may_leave(profile: Profile) -> None:
    """Refuse to send texts to somebody else's server unless the profile says that they may leave."""
    if profile.constraints.air_gapped or profile.constraints.data_may_leave is not True:
        raise InputError(
            f"texts would be sent to {profile.model.llm_url}; say constraints.data_may_leave=yes if they may leave, or "
            "model.llm=local if that server is yours"
        )
