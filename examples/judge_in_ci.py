"""Judge labelled answers in CI, and fail where the judge agrees too little with people.

    memalign align feedback.jsonl --judge judge.toml --out aligned.json
    python examples/judge_in_ci.py aligned.json held-out.jsonl --least 0.8

A line of the second file has trace_id, inputs, outputs and label, and perhaps annotator; `memalign export` and
`memalign convert` write such lines. They must not be those that the judge has learned from. With `--bound lower` the
lower end of the 95 % interval has to reach the share, so that a few lucky lines are not enough.

`memalign judge --min-agreement` does the same without a script; this is for who wants to decide otherwise.
"""

import argparse
import json
import sys
from collections import Counter
from math import sqrt
from pathlib import Path

from memalign import AlignedJudge, MemAlignError, load_judge

Z_95 = 1.959964


def wilson_interval(agreed: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (E. B. Wilson, JASA 22, 1927)."""
    share, spread = agreed / n, Z_95**2 / n
    half = Z_95 * sqrt(share * (1 - share) / n + spread / (4 * n))
    return (share + spread / 2 - half) / (1 + spread), (share + spread / 2 + half) / (1 + spread)


def labelled_lines(file: Path) -> dict[str, list[dict]]:
    """Return the lines that have a label, by trace."""
    by_trace: dict[str, list[dict]] = {}
    for text in file.read_text(encoding="utf-8").splitlines():
        line = json.loads(text) if text.strip() else {}
        if line.get("label") is not None:
            by_trace.setdefault(line["trace_id"], []).append(line)
    return by_trace


def majority(lines: list[dict]) -> object:
    """Return the label of most people; None at a tie."""
    ranked = Counter(line["label"] for line in lines).most_common(2)
    return None if len(ranked) == 2 and ranked[0][1] == ranked[1][1] else ranked[0][0]


def compare(judge: AlignedJudge, by_trace: dict[str, list[dict]]) -> tuple[int, int]:
    """Judge each trace, print where judge and people differ, and return how many agree, of how many."""
    agreed = n = 0
    for trace_id, lines in by_trace.items():
        label = majority(lines)
        if label is None:
            continue
        verdict = judge(inputs=lines[0]["inputs"], outputs=lines[0]["outputs"])
        n += 1
        agreed += verdict.value == label
        if verdict.value != label:
            print(f"{trace_id}: the judge says {verdict.value}, people say {label}. {verdict.rationale}")
    return agreed, n


def main() -> None:
    """Exit with 1 where the agreement is too low, or cannot be known."""
    parser = argparse.ArgumentParser(description="Fail where a judge agrees too little with people.")
    parser.add_argument("aligned", type=Path)
    parser.add_argument("labelled", type=Path)
    parser.add_argument("--least", type=float, default=0.8)
    parser.add_argument("--bound", choices=("share", "lower"), default="share")
    options = parser.parse_args()
    try:
        agreed, n = compare(load_judge(options.aligned), labelled_lines(options.labelled))
    except MemAlignError as error:
        sys.exit(f"The judge could not be tried: {error}")
    if not n:
        sys.exit(f"{options.labelled} has no labelled line.")
    low, high = wilson_interval(agreed, n)
    print(
        f"Judge and people agree on {agreed} of {n} ({agreed / n:.0%}, 95 % interval {low:.0%} to {high:.0%})."
    )
    reached = low if options.bound == "lower" else agreed / n
    if reached < options.least:
        sys.exit(f"That is below {options.least:.0%}.")


if __name__ == "__main__":
    main()
