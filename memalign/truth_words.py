"""Words for the two truth values, in English and German."""

CLEAR_YES = frozenset({"true", "yes", "pass", "passed", "ja", "wahr", "bestanden"})
CLEAR_NO = frozenset({"false", "no", "fail", "failed", "nein", "falsch", "durchgefallen"})
"""Words that are a verdict even where more words follow them."""
_YES = CLEAR_YES | {"y", "correct", "right", "good", "agree", "richtig", "gut"}
_NO = CLEAR_NO | {"n", "incorrect", "wrong", "bad", "disagree", "schlecht"}


def truth_of(word: str) -> bool | None:
    """Read a word for a truth value.

    Args:
        word: One word, folded and without marks.

    Returns:
        The truth value; None where the word stands for none.
    """
    return True if word in _YES else False if word in _NO else None
