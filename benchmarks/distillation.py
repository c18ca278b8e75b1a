"""What a teacher's labels are worth: a prompted encoder labels unlabelled texts, and a student learns from the surest.

    OMP_NUM_THREADS=1 python benchmarks/distillation.py DATA_FOLDER... --results FILE
    python benchmarks/distillation.py --results FILE --table

Of every DATA_FOLDER (train.* and test.*, one label a text) some rows of every class keep their labels and the others
lose them. The teacher is the encoder prompted zero-shot where no row has a label, else few-shot, as in a plan with
distillation; both it and the student have the settings as they ship. Measured on the same test rows: the teacher alone,
the student on the few labels alone, and the student on these and the teacher's. A line a measurement is appended;
those already there are not measured again.
"""

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from advisor.backend.devices import choose_device
from advisor.backend.evaluation import headline
from advisor.backend.predictor import Predictor
from advisor.backend.rows import Rows, encode_rows
from advisor.benchmark.draws import Size, draw
from advisor.data.reading import DataSource, LabelledData, load_labelled
from advisor.estimates.forecast import default_settings
from advisor.knowledge.weights import locate_model
from advisor.run.prepare import fold_rows, validated
from advisor.run.teaching import asked_texts, taught
from advisor.strategies import STRATEGIES, FitJob
from advisor.strategies.modifiers import DISTILLATION, DistillationSettings, modifier_settings

TASK = "text-classification"
ENCODER = "embedded/all-MiniLM-L6-v2"


def fitted(strategy: str, data: LabelledData, training: Rows, seed: int) -> Predictor:
    """Fit a strategy with the settings as they ship, validation rows held out where there are enough."""
    chosen = STRATEGIES[strategy]
    training, validation = validated(TASK, training, chosen.validation_share(len(training)), seed)
    with TemporaryDirectory() as workspace:
        job = FitJob(
            encoder=locate_model(ENCODER).folder,
            task=TASK,
            labels=data.label_names,
            descriptions={},
            training=training,
            validation=validation,
            settings=default_settings(strategy),
            seed=seed,
            device=choose_device(),
            workspace=Path(workspace),
            cache=None,
        )
        return chosen.fit(job).model


def measure(data: LabelledData, student: str, per_class: int, seed: int, most_texts: int, test_rows: int) -> Any:
    """Return accuracies of teacher and student, and what is known of the teacher's labels."""
    assert data.test is not None
    names = data.label_names
    rows, test = (encode_rows(TASK, part.inputs, part.labels, part.rows, names) for part in (data.train, data.test))
    test = test.take(np.sort(np.random.default_rng(0).permutation(len(test))[:test_rows]))
    index = draw(TASK, rows, Size("per-class", per_class), seed=seed, most=len(rows))
    assert index is not None
    labelled, others = rows.take(index), rows.take(np.setdiff1d(np.arange(len(rows)), index))
    settings = replace_most(modifier_settings(DISTILLATION), most_texts)
    known = {*labelled.inputs, *test.inputs}
    texts = asked_texts([str(one) for one in others.inputs], known, settings.most_texts, seed)

    def accuracy(model: Predictor) -> float:
        return float(headline(TASK, model.outputs(test.inputs), test, names, model.thresholds)["accuracy"])

    teaching = "few-shot" if per_class else "zero-shot"
    teacher = fitted(teaching, data, labelled, seed)
    checked = np.zeros((len(labelled), len(names)), dtype=np.float32)
    for shown, asked in fold_rows(TASK, labelled, settings.check_folds, seed) if per_class else ():
        part = fitted(teaching, data, labelled.take(shown), seed)
        checked[asked] = part.outputs(labelled.take(asked).inputs)
    found = taught(texts, teacher.outputs(texts), labelled, checked, names, settings, draws=200, seed=seed)
    truth = dict(zip(map(str, others.inputs), others.targets, strict=True))
    right = [truth[str(text)] == label for text, label in zip(found.rows.inputs, found.rows.targets, strict=True)]
    return {
        "labelled": len(labelled),
        "asked": len(texts),
        "kept": len(found.rows),
        "kept_right": float(np.mean(right)),
        "teacher": accuracy(teacher),
        "labels_alone": accuracy(fitted(student, data, labelled, seed)) if per_class else None,
        "distilled": accuracy(fitted(student, data, labelled.plus(found.rows), seed)),
    }


def replace_most(settings: Any, most: int) -> DistillationSettings:
    """Return the settings as they ship, but for how many texts are asked about at most."""
    assert isinstance(settings, DistillationSettings)
    return settings.model_copy(update={"most_texts": min(most, settings.most_texts)})


def table(lines: list[dict[str, Any]]) -> str:
    """Return means over draws as Markdown."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        groups[line["data"], line["per_class"], line["student"], line["most_texts"]].append(line)
    found = [
        "| data | labels a class | student | unlabelled | draws | kept right | teacher | labels alone | distilled |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for (data, per_class, student, most), some in sorted(groups.items()):
        names = ("kept_right", "teacher", "labels_alone", "distilled")
        values = [[one[name] for one in some if one[name] is not None] for name in names]
        cells = [f"{np.mean(known):.3f}" if known else "–" for known in values]
        found.append(f"| {data} | {per_class} | {student} | {most} | {len(some)} | {' | '.join(cells)} |")
    return "\n".join(found)


def main() -> None:
    """Measure what is not measured yet, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--students", default="linear-probe", help="strategies with commas between them")
    parser.add_argument("--per-class", default="0,8", help="labels a class with commas between them")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--most-texts", type=int, default=1000)
    parser.add_argument("--test-rows", type=int, default=500)
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    text = given.results.read_text(encoding="utf-8") if given.results.exists() else ""
    lines = [json.loads(line) for line in text.splitlines() if line]
    done = {(one["data"], one["student"], one["per_class"], one["seed"], one["most_texts"]) for one in lines}
    for folder in given.folders:
        data = load_labelled(DataSource(folder), TASK)
        for student in given.students.split(","):
            for per_class in map(int, given.per_class.split(",")):
                for seed in range(given.seeds):
                    if (folder.name, student, per_class, seed, given.most_texts) in done:
                        continue
                    started = time.process_time()
                    what = {"data": folder.name, "student": student, "per_class": per_class, "seed": seed}
                    found = measure(data, student, per_class, seed, given.most_texts, given.test_rows)
                    spent = round(time.process_time() - started, 1)
                    line = {**what, "most_texts": given.most_texts, **found, "processor_seconds": spent}
                    with given.results.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(line) + "\n")
                    lines.append(line)
                    print(json.dumps(line), flush=True)
    if given.table:
        print(table(lines))


if __name__ == "__main__":
    main()
