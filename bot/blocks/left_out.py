"""The line that says what a judge's model was not shown."""

from memalign.records import LeftOut

WORDS_PER_TOKEN = 0.75
"""Of English, by OpenAI's rule of thumb."""


def left_out_line(left_out: LeftOut) -> str:
    """Return a sentence about what there was no room for; empty where the model was shown everything."""
    sentences = []
    if left_out.tokens:
        sentences.append(f"Long record: about {_words(left_out.tokens)} of it were left out.")
    evidence = [
        f"{count:,} {name}{'' if count == 1 else 's'}"
        for count, name in ((left_out.guidelines, "guideline"), (left_out.cases, "similar case"))
        if count
    ]
    if evidence:
        sentences.append(f"The model had no room for {' and '.join(evidence)}.")
    return " ".join(sentences)


def _words(tokens: int) -> str:
    """Return a length as people measure it, rounded to two significant digits."""
    words = max(round(tokens * WORDS_PER_TOKEN), 2)
    return f"{int(float(f'{words:.1e}')):,} words"
