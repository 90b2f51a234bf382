"""Agreement of `local:/cases` with people on traces that it has not learned.

    python -m tests.bench.local_models FILE.jsonl …

Each file holds feedback lines (contract, "Traces and feedback as files"). Traces are split by group (the first two
dash-separated parts of the trace id), so that no question is on both sides; ties are not scored. Where the extra
`memalign[minilm]` is installed, each line is measured without its sentence model and with it.
"""

import argparse
import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import mean

from memalign.models.local.case_classifier import CaseClassifier
from memalign.models.local.sentence_vectors import SentenceVectors, installed_sentence_vectors
from memalign.ports import JudgeRequest
from memalign.records import Episode, Evidence, Json, Label, PersonLabel
from memalign.value_types import value_type_of

BOOL = value_type_of(bool)
LEARNED = (8, 20, 50, 100, 400)
MIN_JUDGED, MAX_JUDGED = 30, 400
"""Unseen traces a split, within which a kappa means something and takes no longer than it must."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    trace_id: str
    fields: dict[str, Json]
    votes: tuple[Label, ...]

    @property
    def group(self) -> str:
        return "-".join(self.trace_id.split("-")[:2])

    @property
    def label(self) -> Label | None:
        """People's majority; None for a tie."""
        ranked = Counter(self.votes).most_common(2)
        return None if len(ranked) > 1 and ranked[0][1] == ranked[1][1] else ranked[0][0]


def read(path: Path) -> dict[str, list[Labelled]]:
    votes: dict[str, dict[str, list[dict[str, Json]]]] = defaultdict(lambda: defaultdict(list))
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record.get("label") is not None:
            votes[record["judge"]][record["trace_id"]].append(record)
    return {
        judge: [
            Labelled(
                trace_id=trace_id,
                fields={"inputs": records[0]["inputs"], "outputs": records[0]["outputs"]},
                votes=tuple(record["label"] for record in records),
            )
            for trace_id, records in traces.items()
        ]
        for judge, traces in votes.items()
    }


def kappa(first: Sequence[Label], second: Sequence[Label]) -> float:
    """Cohen's kappa; 0 where chance alone explains everything."""
    agreed = mean(a == b for a, b in zip(first, second, strict=True))
    counts, second_counts = Counter(first), Counter(second)
    chance = sum(counts[value] * second_counts[value] for value in counts) / len(first) ** 2
    return 0.0 if chance == 1 else (agreed - chance) / (1 - chance)


def among_people(traces: Sequence[Labelled]) -> float | None:
    pairs = [pair for trace in traces for pair in combinations(trace.votes, 2)]
    both_ways = pairs + [(b, a) for a, b in pairs]
    return kappa(*zip(*both_ways, strict=True)) if pairs else None


def splits(
    traces: Sequence[Labelled], learned: int, repeats: int
) -> Iterator[tuple[list[Labelled], list[Labelled]]]:
    for seed in range(repeats):
        groups = sorted({trace.group for trace in traces})
        random.Random(seed).shuffle(groups)
        place = {group: number for number, group in enumerate(groups)}
        order = sorted(traces, key=lambda trace: place[trace.group])
        known = {trace.group for trace in order[:learned]}
        unseen = [trace for trace in order if trace.group not in known and trace.label is not None]
        if len(unseen) >= MIN_JUDGED and len(order) > learned:
            yield order[:learned], unseen[:MAX_JUDGED]


def episode(trace: Labelled) -> Episode:
    label = trace.votes[-1] if trace.label is None else trace.label
    people = [PersonLabel(person=f"p{number}", value=value) for number, value in enumerate(trace.votes)]
    return Episode(
        trace_id=trace.trace_id,
        label=label,
        fields=trace.fields,
        text="",
        opinions=tuple(person for person in people if person.value == label),
        minority=tuple(person for person in people if person.value != label),
    )


async def judged(
    judge_model: CaseClassifier, known: Sequence[Labelled], unseen: Sequence[Labelled]
) -> list[Label]:
    episodes = [episode(trace) for trace in known]
    values = []
    for trace in unseen:
        request = JudgeRequest(
            judge="bench",
            instructions="",
            value_type=BOOL,
            fields=trace.fields,
            trace_id=trace.trace_id,
            evidence=Evidence(),
            episodes=episodes,
            version=1,
        )
        values.append((await judge_model.decide(request)).value)
    return values


def rows(name: str, traces: Sequence[Labelled], learned: int, repeats: int) -> list[str]:
    """Measure the lines of one set: without the sentence model, and with it where it is installed."""
    lines = [row(name, traces, learned, repeats, None)]
    if sentence_vectors := installed_sentence_vectors():
        lines.append(row(f"{name} + minilm", traces, learned, repeats, sentence_vectors))
    return [line for line in lines if line]


def row(
    name: str,
    traces: Sequence[Labelled],
    learned: int,
    repeats: int,
    sentence_vectors: SentenceVectors | None,
) -> str | None:
    """Measure one line of the table; None where too few traces would be left to judge."""
    kappas, agreements, majorities = [], [], []
    for known, unseen in splits(traces, learned, repeats):
        labels = [trace.label for trace in unseen if trace.label is not None]
        values = asyncio.run(judged(CaseClassifier(sentence_vectors), known, unseen))
        kappas.append(kappa(values, labels))
        agreements.append(mean(a == b for a, b in zip(values, labels, strict=True)))
        majorities.append(max(Counter(labels).values()) / len(labels))
    if len(kappas) < repeats:
        return None
    spread = f"{mean(kappas):.2f} | {min(kappas):.2f} to {max(kappas):.2f}"
    people = among_people(traces)
    among = "-" if people is None else f"{people:.2f}"
    return f"| {name} | {learned} | {spread} | {mean(agreements):.2f} | {mean(majorities):.2f} | {among} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.jsonl")
    parser.add_argument("--repeats", type=int, default=5, help="random splits for each number of cases")
    parser.add_argument("--learned", type=int, nargs="+", default=LEARNED, help="numbers of cases")
    parser.add_argument("--judge", help="only this one of a file's judges")
    arguments = parser.parse_args()
    print(
        "| set | learned | kappa | worst to best split | agreement | majority's agreement | people's kappa |"
    )
    print("|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor() as pool:
        measured = [
            pool.submit(rows, f"{path.stem}: {judge}", traces, learned, arguments.repeats)
            for path in arguments.files
            for judge, traces in read(path).items()
            if arguments.judge in (None, judge)
            for learned in arguments.learned
        ]
        for lines in measured:
            for line in lines.result():
                print(line, flush=True)


if __name__ == "__main__":
    main()
