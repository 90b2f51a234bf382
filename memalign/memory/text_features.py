"""How alike two sentences are in their words, so that rules can be compared without asking a model."""

import re

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_ENDINGS = ("ations", "ation", "ingly", "ings", "ing", "edly", "ies", "ed", "ly", "es", "s")
_FILLER_WORDS = """
a an and are as at be been being but by can do does for from has have if in into is it its of on or so such
than that the their them then there these they this to was were when which while will with would you your
always must should shall may might need needs
"""
_TURNING_WORDS = """
not no never none nothing nor neither without cannot avoid avoids forbid forbids forbidden unacceptable wrong
bad fail fails refuse refuses lack lacks missing instead rather less fewer
"""
_PLAIN_WORDS = """
answer answers reply replies response responses output outputs good right fine acceptable allowed
"""
_FILLER = frozenset(_FILLER_WORDS.split())
_TURNS = frozenset(_TURNING_WORDS.split())
_PLAIN = frozenset(_PLAIN_WORDS.split())


def normal(text: str) -> str:
    """The sentence without what does not make it another one: letter case, blanks, the final stop."""
    return " ".join(text.split()).casefold().rstrip(".!;, ")


def stems(text: str) -> frozenset[str]:
    """The stems of the words that carry the meaning."""
    return frozenset(_stem(word) for word in _WORD.findall(text.casefold()) if word not in _FILLER)


def subject(text: str) -> frozenset[str]:
    """The stems that tell what a rule is about: not those that any rule on answers may have."""
    found = _WORD.findall(text.casefold().replace("’", "'"))
    plain = _FILLER | _TURNS | _PLAIN
    return frozenset(_stem(word) for word in found if word not in plain and not word.endswith("n't"))


def turns(text: str) -> frozenset[str]:
    """What could make a sentence the opposite of another one: negations, and numbers."""
    found = _WORD.findall(text.casefold().replace("’", "'"))
    negations = {"not" for word in found if word in _TURNS or word.endswith("n't")}
    return frozenset(negations | {word for word in found if any(char.isdigit() for char in word)})


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word
