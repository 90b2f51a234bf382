"""Words of English sentences, so that rules can be compared without asking a model."""

import re

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_ENDINGS = ("ations", "ation", "ingly", "ings", "ing", "edly", "ies", "ed", "ly", "es", "s")
_STOP_WORD_LIST = """
a an and are as at be been being but by can do does for from has have if in into is it its of on or so such
than that the their them then there these they this to was were when which while will with would you your
always must should shall may might need needs
"""
_NEGATION_LIST = """
not no never none nothing nor neither without cannot avoid avoids forbid forbids forbidden unacceptable wrong
bad fail fails refuse refuses lack lacks missing instead rather less fewer
"""
_WORDS_OF_ANY_RULE = """
answer answers reply replies response responses output outputs good right fine acceptable allowed
"""
_STOP_WORDS = frozenset(_STOP_WORD_LIST.split())
_NEGATIONS = frozenset(_NEGATION_LIST.split())
_NO_SUBJECT = _STOP_WORDS | _NEGATIONS | frozenset(_WORDS_OF_ANY_RULE.split())


def normal(text: str) -> str:
    """Normalise a sentence, so that equal ones compare equal.

    Args:
        text: A sentence.

    Returns:
        The sentence in lower case, with single blanks and without final punctuation.
    """
    return " ".join(text.split()).casefold().rstrip(".!;, ")


def stems(text: str) -> frozenset[str]:
    """Extract the stems of the content words.

    Args:
        text: Any text.

    Returns:
        Stems of all words but stop words. The stemmer only cuts endings: crude, but the same for all texts.
    """
    return frozenset(_stem(word) for word in _WORD.findall(text.casefold()) if word not in _STOP_WORDS)


def subject(text: str) -> frozenset[str]:
    """Extract the stems that tell what a rule is about.

    Args:
        text: A rule.

    Returns:
        Stems of its words, without stop words, negations, and words that any rule on answers may have.
    """
    return frozenset(
        _stem(word) for word in _words(text) if word not in _NO_SUBJECT and not word.endswith("n't")
    )


def negations_and_numbers(text: str) -> frozenset[str]:
    """Extract what can turn a sentence into the opposite of another one.

    Args:
        text: A rule.

    Returns:
        Its words with a digit, and the word "not" if there is any negation in it.
    """
    words = _words(text)
    negations = {"not" for word in words if word in _NEGATIONS or word.endswith("n't")}
    return frozenset(negations | {word for word in words if any(char.isdigit() for char in word)})


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold().replace("’", "'"))


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word
