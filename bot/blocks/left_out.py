"""The line that says what a judge's model was not shown."""

from memalign.records import LeftOut


def left_out_line(left_out: LeftOut) -> str:
    """Return a sentence about what there was no room for; empty where the model was shown everything."""
    sentences = []
    if left_out.tokens:
        sentences.append(
            f"Long record: about {_rounded(left_out.tokens):,} tokens in the middle were left out."
        )
    evidence = [
        f"{count:,} {name}{'' if count == 1 else 's'}"
        for count, name in ((left_out.guidelines, "guideline"), (left_out.cases, "similar case"))
        if count
    ]
    if evidence:
        sentences.append(f"The model had no room for {' and '.join(evidence)}.")
    return " ".join(sentences)


def _rounded(count: int) -> int:
    """Return a number with two digits that count."""
    return int(float(f"{count:.1e}"))
