"""``advisor explain``: every test behind a verdict, and why not another strategy."""

from pathlib import Path
from typing import Any

import click

from advisor.cli.maps import requested_map, show_map
from advisor.cli.options import as_json, map_options, print_json, project, project_options, rules_option
from advisor.decision.advice import Advice, recommend
from advisor.decision.nearby import Nearby
from advisor.decision.replay import Replay, read_record, replay
from advisor.decision.why_not import why_not as why_not_of
from advisor.documents import suggest
from advisor.errors import AdvisorError, InputError
from advisor.knowledge.conditions import Condition
from advisor.knowledge.rulebase import load_rulebase
from advisor.knowledge.vocabulary import in_words
from advisor.report.terminal import next_labels_line
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
@map_options
@as_json
def command(
    profile: Path | None,
    settings: tuple[str, ...],
    why_not: str | None,
    record: Path | None,
    rules: Path | None,
    axes: str | None,
    map_svg: Path | None,
    as_json: bool,
    **data: Any,
) -> None:
    """Explain the verdict on PROFILE or data test by test, or whether a recorded one still stands.

    With --record, exit code 1 means that today's rules say otherwise.
    """
    if record:
        if profile or settings or why_not or axes or map_svg or any(data.values()):
            raise click.UsageError("--record brings its own answers; leave out all else but --rules and --json")
        _replay(replay(read_record(record), load_rulebase(rules)), as_json)
        return
    advice = recommend(project(profile, settings, **data).profile, base=load_rulebase(rules))
    if why_not is not None and why_not not in STRATEGIES:
        raise InputError(f"there is no strategy '{why_not}'{suggest(why_not, STRATEGIES)}")
    found_map = requested_map(advice, axes, map_svg)
    if as_json:
        why = {"why_not": _found(advice, why_not)} if why_not else {}
        print_json(advice.as_dict() | why | ({"map": found_map} if found_map else {}))
    elif why_not:
        _why_not(advice, why_not)
    else:
        _why(advice)
    if not as_json:
        show_map(found_map if axes else None)


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
    if advice.next_labels:
        click.echo(f"\n{next_labels_line(advice.next_labels)}")
        other = advice.next_labels.other
        if other:
            click.echo(f"  then {other.strategy} would be the best of the others: accuracy {other.quality.point:.2f}")
    click.echo("\nanswers")
    for name, value in decision.facts.values.items():
        if value is not None and "." in name:
            source = "assumed" if name in decision.facts.assumed else advice.profile.sources.get(name, "file")
            click.echo(f"  {name:32} {in_words(name, value):28} {source}")


def _found(advice: Advice, strategy: str) -> dict[str, Any]:
    found = why_not_of(advice.decision, strategy, _nearby(advice))
    return found.as_dict() if found else {"strategy": strategy, "status": "advised"}


def _why_not(advice: Advice, strategy: str) -> None:
    found = why_not_of(advice.decision, strategy, _nearby(advice))
    if found is None:
        click.echo(f"{strategy} is the advice")
        return
    if found.status == "ruled out":
        click.echo(f"{strategy} is ruled out: {'; '.join(found.because)}")
    else:
        click.echo(f"{strategy} is possible, but {found.rule.id} weighs more: {'; '.join(found.because)}")
    if found.obstacles:
        click.echo("\nThese answers keep it out, all others left open; without any one of them they would not")
    for obstacle in found.obstacles:
        tests = obstacle.tests or ("without it another row decides",)
        click.echo(f"  {obstacle.input:32} {in_words(obstacle.input, obstacle.value)}")
        for test in tests:
            click.echo(f"    {test}")
    for name, value in found.assumed.items():
        click.echo(f"  {name:32} {in_words(name, value)}, assumed")
    change = found.change
    if change:
        before, after = in_words(change.input, change.before), in_words(change.input, change.after)
        click.echo(f"\nThe nearest change that would make it the advice: {change.input} {before} → {after}")
    else:
        click.echo("\nNo change of a single input would make it the advice")


def _nearby(advice: Advice) -> Nearby:
    return Nearby(advice.decision.answers, advice.decision.base, advice.decision.machine)


def _tests(advice: Advice, condition: Condition) -> None:
    facts, limits = advice.decision.facts, advice.decision.base.limits
    for outcome in condition.trace(facts.values, limits):
        assumed = ", assumed" if outcome.fact in facts.assumed else ""
        click.echo(f"  {_MARKS[outcome.held]}  {outcome.text}; it is {in_words(outcome.fact, outcome.value)}{assumed}")
