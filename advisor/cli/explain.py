"""``advisor explain``: every test behind a verdict, and why not another strategy."""

from pathlib import Path
from typing import Any

import click

from advisor.cli.options import as_json, print_json, project, project_options, rules_option
from advisor.decision.advice import Advice, recommend
from advisor.decision.replay import Replay, read_record, replay
from advisor.documents import suggest
from advisor.errors import AdvisorError, InputError
from advisor.knowledge.conditions import Condition
from advisor.knowledge.rulebase import load_rulebase
from advisor.knowledge.vocabulary import in_words
from advisor.strategies import STRATEGIES

_MARKS = {True: "holds  ", False: "fails  ", None: "unknown"}


@click.command("explain")
@project_options
@click.option("--why-not", metavar="STRATEGY", help="Say why this strategy was not recommended.")
@click.option(
    "--record",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Replay an advice on record (recommend --record, a plan's advice.json) with today's rules.",
)
@rules_option
@as_json
def command(
    profile: Path | None,
    settings: tuple[str, ...],
    why_not: str | None,
    record: Path | None,
    rules: Path | None,
    as_json: bool,
    **data: Any,
) -> None:
    """Explain the verdict on PROFILE or data test by test, or whether a recorded one still stands.

    With --record, exit code 1 means that today's rules say otherwise.
    """
    if record:
        if profile or settings or why_not or any(data.values()):
            raise click.UsageError("--record brings its own answers; leave out the profile, data, --set and --why-not")
        _replay(replay(read_record(record), load_rulebase(rules)), as_json)
        return
    advice = recommend(project(profile, settings, **data).profile, base=load_rulebase(rules))
    if why_not is not None and why_not not in STRATEGIES:
        raise InputError(f"there is no strategy '{why_not}'{suggest(why_not, STRATEGIES)}")
    if as_json:
        print_json(advice.as_dict())
    elif why_not:
        _why_not(advice, why_not)
    else:
        _why(advice)


def _replay(found: Replay, as_json: bool) -> None:
    record, base = found.record, found.base
    if as_json:
        print_json(found.as_dict())
    else:
        click.echo(
            f"then  {record.verdict['strategy']}, by row {record.audit.deciding.row}, rules {record.rules.version}"
        )
        now = (
            f"{found.advice.winner.strategy.id}, by row {found.advice.decision.rule.id}"
            if found.advice
            else found.ended
        )
        click.echo(f"now   {now}, rules {base.version}{'' if found.changes else ': the same verdict'}")
        for name, (then, new) in found.differences.items():
            click.echo(f"  {name}: {then} → {new}")
        for change in found.changes:
            click.echo(f"  changed: {change}")
    if not found.same:
        raise AdvisorError("today's rules say otherwise")


def _why(advice: Advice) -> None:
    decision = advice.decision
    click.echo(f"{advice.winner.strategy.id}, by row {decision.rule.id} (priority {decision.rule.priority})")
    _tests(advice, decision.rule.condition)
    for passed in decision.passed_over:
        click.echo(f"\npassed over: {passed.id} would recommend {passed.recommend}, which is ruled out")
    for objection in decision.objections:
        click.echo(f"\ncontested: {objection.reason(decision.facts.values)} ({', '.join(objection.evidence)})")
        _tests(advice, objection.condition)
    for candidate in decision.ruled_out:
        for veto in candidate.vetoes:
            click.echo(f"\nruled out: {candidate.strategy.id} on {candidate.model}, {veto.because}")
            for outcome in veto.outcomes:
                click.echo(f"  fails    {outcome.text}; it is {in_words(outcome.fact, outcome.value)}")
    click.echo("\nanswers")
    for name, value in decision.facts.values.items():
        if value is not None and "." in name:
            source = "assumed" if name in decision.facts.assumed else advice.profile.sources.get(name, "file")
            click.echo(f"  {name:32} {in_words(name, value):28} {source}")


def _why_not(advice: Advice, strategy: str) -> None:
    if advice.winner.strategy.id == strategy:
        click.echo(f"{strategy} is the advice")
        return
    for candidate in advice.decision.ruled_out:
        if candidate.strategy.id == strategy:
            reasons = "; ".join(veto.because for veto in candidate.vetoes)
            click.echo(f"{strategy} on {candidate.model} is ruled out: {reasons}")
    for alternative in advice.alternatives:
        if alternative.candidate.strategy.id == strategy:
            click.echo(
                f"{strategy} on {alternative.candidate.model} is possible, but: {'; '.join(alternative.why_not)}"
            )


def _tests(advice: Advice, condition: Condition) -> None:
    facts, limits = advice.decision.facts, advice.decision.base.limits
    for outcome in condition.trace(facts.values, limits):
        assumed = ", assumed" if outcome.fact in facts.assumed else ""
        click.echo(f"  {_MARKS[outcome.held]}  {outcome.text}; it is {in_words(outcome.fact, outcome.value)}{assumed}")
