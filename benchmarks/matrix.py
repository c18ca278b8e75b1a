"""Every cell of tasks and strategies as a user lives it: planned, run, served, loaded by transformers, its recipe run.

    OMP_NUM_THREADS=1 python benchmarks/matrix.py DATA_FOLDER... --rows 40 --results FILE
    python benchmarks/matrix.py --results FILE --table

Of every DATA_FOLDER (train.* and test.* as JSON Lines) the first rows are taken, and for every strategy

- ``advisor plan`` writes a plan folder, or says why the strategy does not suit the task: then nothing else is asked;
- the plan is run; every measure lies within its interval, the export was read back, a report and a card are there;
- ``advisor predict`` in a process of its own repeats on the test rows what the run predicted;
- the card's lines of Python are carried out as they stand, and transformers' ``pipeline()``, where it knows the task,
  gives the classes or numbers that the run predicted;
- the plan's ``recipe.py`` is run in a process of its own and reports the same measures.

Every step has a process of its own, forked from one that has imported the libraries and done nothing else. Training
is cut to a few updates: this is about whether a cell works, not how well. With ``--llm FOLDER`` a language model is
prompted in process as well. A line a cell is appended to the results; what worked is not done again.
"""

import argparse
import contextlib
import io
import json
import os
import re
import resource
import runpy
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from advisor.cli import main as advisor
from advisor.data.reading import DataSource, load_labelled
from advisor.plan.plan import read_plan
from advisor.strategies import STRATEGIES
from advisor.tasks import TASKS, WRITING

SHORT = {"epochs": 1, "fewest_epochs": 1, "min_steps": 4, "most_steps": 4, "enough_steps": 4, "batch_size": 8}
FEW_PROMPTS = {"demonstrations": 4, "measured_rows": 4, "attacked_rows": 2, "written_tokens": 16}
REFUSED = 2, 3
FRESH = get_context("forkserver")
FRESH.set_forkserver_preload(["advisor.run.execute", "transformers.pipelines", "peft", "sklearn.linear_model"])
ENGINES = {"encoder": "", "llm-local": " (language model)"}
Record = dict[str, Any]
_spent: list[float] = []


class Fault(Exception):
    """What does not hold in a cell, in one sentence."""


@dataclass(frozen=True)
class Cell:
    """A strategy on the first rows of a data folder, carried out on an encoder or by a language model."""

    data: Path
    strategy: str
    engine: str
    rows: int

    def key(self) -> tuple[str, str, str, int]:
        """What makes it the same cell."""
        return self.data.name, self.strategy, self.engine, self.rows


def first_rows(data: Path, target: Path, rows: int, test_rows: int) -> None:
    """Write the first training rows, and the first test rows whose labels are among theirs."""
    train, test = (
        list(map(json.loads, (data / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()))
        for part in ("train", "test")
    )
    known = {label for row in train[:rows] for label in _labels(row)}
    parts = {"train": train[:rows], "test": [row for row in test if known.issuperset(_labels(row))][:test_rows]}
    target.mkdir()
    for part, some in parts.items():
        text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in some)
        (target / f"{part}.jsonl").write_text(text, encoding="utf-8")


def _labels(row: Record) -> set[str]:
    found = row.get("tags") or row.get("labels") or [row.get("label")]
    return {label for label in found if isinstance(label, str)}


def tried(cell: Cell, llm: str | None, test_rows: int) -> Record:
    """Carry a cell out; return how it went."""
    found: Record = dict(zip(("data", "strategy", "engine", "rows"), cell.key(), strict=True))
    _spent.clear()
    with TemporaryDirectory() as folder:
        try:
            found |= _lived(cell, Path(folder), llm, test_rows)
        except Fault as fault:
            found["fault"] = str(fault)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            found["fault"] = f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}: {error}"
    return found | {"processor_seconds": round(sum(_spent), 1)}


def _lived(cell: Cell, place: Path, llm: str | None, test_rows: int) -> Record:
    data, plan_folder, run = place / "data", place / "plan", place / "run"
    first_rows(cell.data, data, cell.rows, test_rows)
    strategy = STRATEGIES[cell.strategy]
    known, _ = strategy.settings_for(cell.engine)  # type: ignore[arg-type]
    hyper = {name: value for name, value in (SHORT | FEW_PROMPTS).items() if name in known.model_fields}
    asked = ["plan", "--data", data, "--strategy", cell.strategy, "-o", plan_folder]
    asked += [part for name, value in hyper.items() for part in ("--hyper", f"{name}={value}")]
    asked += ["--set", "model.llm=local", "--set", f"model.llm_name={llm}"] if cell.engine != "encoder" else []
    planned = _fresh(command, *map(str, asked))
    if not strategy.handles(load_labelled(DataSource(data)).task, cell.engine):  # type: ignore[arg-type]
        _held(planned.status in REFUSED, "plan: made for a task to which the strategy does not apply")
        return {"refused": planned.last}
    _held(planned.status == 0, f"plan: {planned.last}")
    plan = read_plan(plan_folder / "plan.yaml")
    _held(plan.engine == cell.engine, f"plan: carried out by {plan.engine}, not by {cell.engine}")

    done = _fresh(command, "run", str(plan_folder), "-o", str(run))
    _held(done.status == 0, f"run: {done.last}")
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    for measure in TASKS[plan.task].measures:
        score = result["metrics"].get(measure.key)
        _held(score is not None, f"run: no {measure.key} in result.json")
        _held(score["low"] <= score["value"] <= score["high"], f"run: {measure.key} outside its interval: {score}")
    off = result["parity"]["largest_difference"]
    _held(off <= plan.evaluation["parity_tolerance"], f"run: the export is off by {off}")
    for name in result["files"].values():
        _held((run / name).exists(), f"run: no {name}")
    predicted = [row["predicted"] for row in _json_lines(run / "predictions.jsonl")]

    answered = place / "answers.jsonl"
    served = _fresh(command, "predict", str(run), "--input", str(data / "test.jsonl"), "-o", str(answered))
    _held(served.status == 0, f"predict: {served.last}")
    said = {"class": "label", "classes": "labels", "number": "value", "tags": "tags", "span": "answer"}
    answers = [row[said[TASKS[plan.task].predicts]] for row in _json_lines(answered)]
    _agree("predict", answers, predicted)

    tests = list(_json_lines(data / "test.jsonl"))
    card = (run / "README.md").read_text(encoding="utf-8")
    _held(f"pipeline_tag: {TASKS[plan.task].pipeline}\n" in card, "card: no pipeline_tag")
    _fresh(carry_out_card, card, tests[0], run)
    whole = not any((run / "model" / name).exists() for name in ("head.json", "prompt.json"))
    piped = whole and _fresh(compare_pipeline, plan.task, run / "model", tests, predicted)

    recipe = plan_folder / "recipe.py"
    _held(recipe.exists(), "recipe: none was written")
    followed = _fresh(script, str(recipe))
    _held(followed.status == 0, f"recipe: {followed.last}")
    measured = json.loads((plan_folder / "metrics.json").read_text(encoding="utf-8"))
    leading = TASKS[plan.task].measures[0].key
    _held(measured["rows"] == len(tests), f"recipe: measured on {measured['rows']} rows of {len(tests)}")
    return {
        "task": plan.task,
        "measure": leading,
        "value": round(result["metrics"][leading]["value"], 4),
        "recipe": round(measured[leading], 4),
        "pipeline": piped,
    }


def carry_out_card(card: str, row: Record, run: Path) -> None:
    """Carry out the lines of Python of a model card in its folder, with what a row holds for each ``…``."""
    lines = re.findall(r"^```python\n(.*?)^```", card, flags=re.DOTALL | re.MULTILINE)
    _held(len(lines) == 1, f"card: {len(lines)} blocks of Python")
    read = [row[name] for name in ("text", "text_pair", "question", "context") if name in row]
    texts = [str(one) for one in (row.get("tokens") or read)]
    code = lines[0]
    for text in texts[: code.count('"…"')]:
        code = code.replace('"…"', repr(text), 1)
    before = Path.cwd()
    try:
        os.chdir(run)
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(code, "the card's lines", "exec"), {})
    except Exception as error:
        raise Fault(f"card: {type(error).__name__}: {error}") from error
    finally:
        os.chdir(before)


def compare_pipeline(task: str, model: Path, rows: list[Record], predicted: list[Any]) -> bool:
    """Compare what ``pipeline()`` says of texts with what the run predicted; False where it does not know the task."""
    from transformers import pipeline
    from transformers.pipelines import SUPPORTED_TASKS

    name = TASKS[task].pipeline
    if name not in SUPPORTED_TASKS:
        return False
    served: Any = pipeline(name, model=str(model), device=-1)  # type: ignore[call-overload]
    if task == "token-classification":
        words = [row["tokens"] for row in rows]
        found = served([" ".join(some) for some in words])
        _held(len(found) == len(words), "pipeline: some sentences have no answer")
        return True
    pairs = [{key: row[key] for key in ("text", "text_pair") if key in row} for row in rows]
    answers = served(pairs, truncation=True, top_k=None)
    if task == "regression":
        _agree("pipeline", [row[0]["score"] for row in answers], predicted)
    elif task == "multi-label":
        config = served.model.config
        levels = config.adaptation.get("thresholds", [0.5] * config.num_labels)
        least = dict(zip(config.id2label.values(), levels, strict=True))
        _agree("pipeline", [{s["label"] for s in r if s["score"] >= least[s["label"]]} for r in answers],
               [set(labels) for labels in predicted])  # fmt: skip
    else:
        _agree("pipeline", [max(row, key=lambda one: one["score"])["label"] for row in answers], predicted)
    return True


def _agree(step: str, found: list[Any], expected: list[Any]) -> None:
    _held(len(found) == len(expected), f"{step}: {len(found)} answers to {len(expected)} rows")
    # A run may answer in bf16, whose numbers have three digits.
    near = 1e-2 * max([1.0, *(abs(one) for one in expected if isinstance(one, float))])
    off = [
        place
        for place, (one, other) in enumerate(zip(found, expected, strict=True))
        if (abs(one - other) > near if isinstance(other, float) else one != other)
    ]
    _held(not off, f"{step}: {len(off)} of {len(expected)} answers are not those of the run, first at row {off[:1]}")


def _held(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Fault(otherwise)


class Ended(NamedTuple):
    """How a command ended: its exit status, and the last line that it said."""

    status: int
    last: str


def command(*arguments: str) -> Ended:
    """Carry out ``advisor`` with arguments."""
    return _ended(lambda: advisor(list(arguments)))


def script(path: str) -> Ended:
    """Run a script that cannot import the advisor."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "advisor"]:
        del sys.modules[name]
    sys.modules["advisor"] = None  # type: ignore[assignment]
    sys.argv = [path]
    return _ended(lambda: runpy.run_path(path, run_name="__main__"))


def _ended(work: Callable[[], object]) -> Ended:
    said, status = io.StringIO(), 0
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            work()
        except SystemExit as end:
            if isinstance(end.code, str):
                said.write(end.code)
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Ended(status, (said.getvalue().strip().splitlines() or ["no message"])[-1].removeprefix("advisor: "))


def _fresh(work: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a process of its own; add the processor time that it took."""
    with ProcessPoolExecutor(1, FRESH) as pool:
        found, seconds = pool.submit(_timed, work, *arguments).result()
    _spent.append(seconds)
    return found


def _timed(work: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    before = _processor_seconds()
    return work(*arguments), _processor_seconds() - before


def _json_lines(path: Path) -> Iterator[Record]:
    yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


def _processor_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def table(lines: list[Record]) -> str:
    """Return the cells as Markdown, a line a data folder and engine, and after them the reason of every other cell.

    A cell shows the leading measure of the run and, after a stroke, that of the recipe where it is another.
    """
    latest = {(one["data"], one["engine"], one["strategy"]): one for one in lines}
    strategies = [name for name in STRATEGIES if any(key[2] == name for key in latest)]
    rows: dict[tuple[str, str], list[str]] = defaultdict(list)
    reasons: dict[str, list[str]] = defaultdict(list)
    for data, engine in dict.fromkeys(key[:2] for key in latest):
        for strategy in strategies:
            one = latest.get((data, engine, strategy), {})
            rows[data, engine].append(_shown(one))
            for kind in ("fault", "refused"):
                if kind in one:
                    reasons[one[kind]].append(f"{data} {strategy}{ENGINES[engine]}")
    found = [f"| data | {' | '.join(strategies)} |", f"|---|{'---|' * len(strategies)}"]
    found += [f"| {data}{ENGINES[engine]} | {' | '.join(cells)} |" for (data, engine), cells in rows.items()]
    return "\n".join([*found, "", *(f"- {why}: {', '.join(cells)}" for why, cells in reasons.items())])


def _shown(one: Record) -> str:
    if "value" not in one:
        return "FAULT" if "fault" in one else "–" if "refused" in one else ""
    same = abs(one["value"] - one["recipe"]) < 5e-4
    return f"{one['value']:.3f}" if same else f"{one['value']:.3f} / {one['recipe']:.3f}"


def main() -> int:
    """Carry out what did not work so far; the exit status is 1 where a cell has a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--rows", type=int, default=40, help="training rows")
    parser.add_argument("--test-rows", type=int, default=20)
    parser.add_argument("--strategies", help="with commas between them; all that read or prompt if left out")
    parser.add_argument("--llm", help="folder of a language model to prompt in process")
    parser.add_argument("--results", type=Path, help="a line a cell, appended")
    parser.add_argument("--table", action="store_true", help="print the table, carry out nothing")
    given = parser.parse_args()
    there = given.results is not None and given.results.exists()
    lines: list[Record] = list(_json_lines(given.results)) if there else []
    worked = {(one["data"], one["strategy"], one["engine"], one["rows"]) for one in lines if "fault" not in one}
    reading = [task for task in TASKS if TASKS[task].predicts not in WRITING]
    usual = [name for name, one in STRATEGIES.items() if any(one.handles(task, "encoder") for task in reading)]
    asked = given.strategies.split(",") if given.strategies else usual
    os.environ |= {"ADVISOR_LEDGER": "off", "TRANSFORMERS_VERBOSITY": "error"}
    for strategy in () if given.table else asked:
        for folder in given.folders:
            for engine in ENGINES:
                cell = Cell(folder, strategy, engine, given.rows)
                prompts = STRATEGIES[strategy].family == "prompting"
                if cell.key() in worked or (engine != "encoder" and not (given.llm and prompts)):
                    continue
                started = time.time()
                line = tried(cell, given.llm, given.test_rows)
                lines.append(line)
                print(f"{json.dumps(line)} ({time.time() - started:.0f} s)", file=sys.stderr, flush=True)
                if given.results is not None:
                    with given.results.open("a", encoding="utf-8") as file:
                        file.write(f"{json.dumps(line)}\n")
    print(table(lines))
    return int(any("fault" in one for one in {(o["data"], o["engine"], o["strategy"]): o for o in lines}.values()))


if __name__ == "__main__":
    sys.exit(main())
