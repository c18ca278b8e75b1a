"""How long the proofs of ``advisor rules check`` take on made-up decision tables of several sizes.

    python benchmarks/verify.py [--rows 50,500] [--wild 0.05] [--seed 0]

Needs the extra ``verify``. Rows are drawn at random over every input and derived fact. Most are drawn as a careful
author writes them: training rows carry the labels they need, and labels only ever lead away from prompting. The share
``--wild`` is drawn without care and brings faults of most kinds. Prints a markdown table of seconds and findings.
"""

import argparse
import json
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from advisor.assets import asset
from advisor.knowledge.rulebase import RuleBase, load_rulebase, read_rulebase
from advisor.knowledge.vocabulary import FACTS, Fact
from advisor.profile import INPUTS
from advisor.strategies import STRATEGIES
from advisor.verification.proofs import prove

TESTS = (3, 5)
LIMITS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
MOVING = ("data.labelled", "data.smallest_class", "serving.latency_ms_p95")


def cell(fact: Fact, generator: random.Random) -> str | bool:
    """Return a random test of a fact."""
    if fact.kind == "yes-no":
        return generator.choice([True, False])
    if fact.kind == "word":
        words = " or ".join(generator.sample(fact.choices, generator.randint(1, min(2, len(fact.choices)))))
        return generator.choice(["", "not "]) + words
    low = generator.choice(LIMITS)
    return generator.choice(
        [f"at least {low}", f"below {low}", f"at least {low} and below {low * generator.choice([2, 10, 100])}"]
    )


def condition(strategy: str, wild: bool, generator: random.Random) -> dict[str, str | bool]:
    """Return random tests, for a careful row with those that its strategy takes."""
    facts = [fact for fact in FACTS.values() if fact.about == "project" and (fact.kind != "word" or fact.choices)]
    tame = [fact for fact in facts if wild or (fact.name in INPUTS and fact.name not in MOVING)]
    tests = {fact.name: cell(fact, generator) for fact in generator.sample(tame, generator.randint(*TESTS))}
    if not wild:
        limit = generator.choice(LIMITS[3:])
        prompts = STRATEGIES[strategy].family == "prompting"
        tests |= (
            {"data.labelled": f"at least 1 and below {limit}"} if prompts else {"labels_per_class": f"at least {limit}"}
        )
    return tests


def row(name: str, priority: int, strategy: str, when: Mapping[str, str | bool], cited: str) -> dict[str, Any]:
    """Return a row as the file holds it."""
    fixed = {"strength": "conditional", "certainty": "low", "because": "drawn", "evidence": [cited]}
    return {"id": name, "priority": priority, "recommend": strategy, "when": when, **fixed}


def made_up(rows: int, wild: float, seed: int, folder: Path) -> RuleBase:
    """Write a random decision table and simple requirements into a copy of the shipped base and load it."""
    generator, strategies = random.Random(seed), list(STRATEGIES)
    cited = next(iter(load_rulebase().evidence))
    table = []
    for number in range(rows - len(strategies)):
        priority = generator.randint(len(strategies), 100)
        strategy = strategies[priority % len(strategies)]
        when = condition(strategy, generator.random() < wild, generator)
        table.append(row(f"row-{number}", priority, strategy, when, cited))
    for priority, strategy in enumerate(strategies):
        needs = {} if not STRATEGIES[strategy].needs_labels else {"data.labelled": "at least 1"}
        table.append(row(f"default-{strategy}", priority, strategy, needs, cited))
    resources = [
        {"id": "memory", "needs": {"need.train_memory_gb": "at most compute.memory_gb"}, "because": "too large"},
        {"id": "latency", "needs": {"need.latency_ms": "at most serving.latency_ms_p95"}, "because": "too slow"},
    ]
    labels = [{"id": "labels", "needs": {"data.labelled": "at least 1"}, "because": "no label"}]
    requires = {name: [*(labels if strategy.needs_labels else []), *resources] for name, strategy in STRATEGIES.items()}
    shutil.copytree(asset("rules"), folder)
    path = folder / "decision.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8")) | {"version": "drawn", "rules": table}
    for name, value in {"decision": document, "requires": requires}.items():
        (folder / f"{name}.yaml").write_text(plain(value), encoding="utf-8")
    return read_rulebase(folder)


def plain(value: Any) -> str:
    """Return YAML without aliases."""
    return yaml.safe_dump(json.loads(json.dumps(value, default=str)), allow_unicode=True)


def main() -> None:
    """Print a line for every size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="50,500", help="sizes, separated by commas")
    parser.add_argument("--wild", type=float, default=0.05, help="share of rows drawn without care")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print("| rows | seconds | findings |\n| --- | --- | --- |")
    for rows in map(int, arguments.rows.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            base = made_up(rows, arguments.wild, arguments.seed, Path(folder) / "rules")
            start = time.perf_counter()
            kinds = Counter(found.kind for found in prove(base))
            seconds = time.perf_counter() - start
        found = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        print(f"| {rows} | {seconds:.1f} | {found} |")


if __name__ == "__main__":
    main()
