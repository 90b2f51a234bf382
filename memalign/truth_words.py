"""Words for the two truth values, in English, German and other common languages."""

CLEAR_YES = frozenset({
    "true", "yes", "pass", "passed", "ja", "wahr", "bestanden", "oui", "vrai", "sí", "sì", "sim", "verdadero",
    "verdadeiro", "vero", "да", "はい", "是", "예", "네",
})  # fmt: skip
CLEAR_NO = frozenset({
    "false", "no", "fail", "failed", "nein", "falsch", "durchgefallen", "non", "faux", "não", "falso", "nee", "нет",
    "いいえ", "否", "不是", "아니요",
})  # fmt: skip
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
