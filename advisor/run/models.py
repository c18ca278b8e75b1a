"""The pre-trained models of a run, checked against the plan's pins, and where language models answer."""

from functools import cached_property
from pathlib import Path

from advisor.backend.prompted.place import LanguageModelPlace
from advisor.backend.remote_code import allow
from advisor.errors import InputError
from advisor.knowledge.weights import LocatedModel, locate_model
from advisor.plan.plan import Plan, PlannedModel, PlannedPrompting
from advisor.strategies import Engine


class Models:
    """What a plan names.

    Args:
        plan: names and pins them.
        plan_folder: where its relative paths start.
        journal: file that a server's answers are kept in.
    """

    def __init__(self, plan: Plan, plan_folder: Path, journal: Path) -> None:
        self.plan, self.plan_folder, self.journal = plan, plan_folder, journal

    @cached_property
    def adapted(self) -> LocatedModel:
        """The model that is adapted, or prompted in this process."""
        return self._located(self.plan.model, language_model=self.plan.prompting is not None)

    @cached_property
    def encoder(self) -> Path:
        """Folder of the encoder that is adapted, or that finds rows similar to one that is asked about."""
        terms = self.plan.prompting
        if terms is None:
            return self.adapted.folder
        found = locate_model(terms.encoder, relative_to=self.plan_folder)
        _check(terms.encoder, terms.encoder_sha256, found.sha256)
        return found.folder

    @property
    def place(self) -> LanguageModelPlace | None:
        """Where the language model is that is prompted, if one is."""
        return self._place(self.plan.engine, self.plan.model, self.plan.prompting)

    @property
    def teacher_place(self) -> LanguageModelPlace | None:
        """Where the teacher's language model is, if it has one."""
        teacher = self.plan.teacher
        return self._place(teacher.engine, teacher.model, teacher.prompting) if teacher else None

    def _place(self, engine: Engine, model: PlannedModel, terms: PlannedPrompting | None) -> LanguageModelPlace | None:
        if terms is None or engine == "encoder":
            return None
        return LanguageModelPlace(
            engine=engine,
            name=model.id,
            folder=None if terms.url else self._located(model, language_model=True).folder,
            url=terms.url,
            key_variable=terms.key_variable,
            context=terms.context,
            usd_per_million_in=terms.usd_per_million_in,
            usd_per_million_out=terms.usd_per_million_out,
            max_usd=terms.max_usd,
            journal=self.journal if terms.url else None,
        )

    def _located(self, planned: PlannedModel, *, language_model: bool) -> LocatedModel:
        """Return a model's files.

        Raises:
            InputError: its weights, its code or another file that decides what it does are not the planned ones.
        """
        trust = planned.trust_remote_code
        located = locate_model(
            planned.id,
            planned.revision,
            relative_to=self.plan_folder,
            trust_remote_code=trust,
            language_model=language_model,
        )
        _check(planned.id, planned.sha256, located.sha256)
        if planned.files:
            _check_files(planned, located)
        if located.code_sha256 != planned.code_sha256:
            raise InputError(f"{planned.id}: its Python code changed since the plan was made; make the plan again")
        if trust:
            allow(located.folder)
        return located


def _check(model: str, planned: str | None, found: str | None) -> None:
    if planned and found != planned:
        raise InputError(f"{model}: the weights changed since the plan was made; make the plan again")


def _check_files(planned: PlannedModel, located: LocatedModel) -> None:
    before, now = planned.files, located.files
    names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    if names:
        said = "was added" if names[0] not in before else "is missing" if names[0] not in now else "changed"
        others = f" (and {len(names) - 1} more)" if names[1:] else ""
        raise InputError(
            f"{planned.id}: {names[0]}{others} {said} since the plan was made; put the folder back as it was "
            "or make the plan again"
        )
