"""Words of sentences: equal sentences, repeated rules, quoted words, and the reasons that rules rest on."""

import re
import unicodedata
from collections.abc import Iterable

from memalign.text_folding import narrow, without_invisible

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_ENDINGS = ("ations", "ation", "ingly", "ings", "ing", "edly", "ies", "ed", "ly", "es", "s")
_PLAIN_MARKS = str.maketrans(dict.fromkeys("’‘‚‛‹›", "'") | dict.fromkeys("“”„‟«»", '"'))
_FINAL_MARKS = ".!;,:…。！；，、： "
_STOP_WORD_LIST = """
a an and are as at be been being but by can do does for from has have if in into is it its of on or so such
than that the their them then there these they this to was were when which while will with would you your
always must should shall may might need needs
"""
_NEGATION_LIST = """
not no never none nothing nor neither without cannot avoid avoids forbid forbids forbidden unacceptable wrong
bad fail fails refuse refuses lack lacks missing instead rather less fewer omit omits
"""
_WORDS_OF_ANY_RULE = """
answer answers reply replies response responses output outputs good right fine acceptable allowed welcome put leave
leaves omit omits out
"""
_GERMAN_WORD_LIST = """
der die das den dem des ein eine einen einem einer es sie er und oder aber ist sind sein war wird werden nicht kein
keine nie immer muss müssen soll sollte sollen darf dürfen kann können hat haben mit ohne von vom für in im an am auf
aus zu zum zur bei als so dass wenn man wir ich antwort antworten
"""
_STOP_WORDS = frozenset(_STOP_WORD_LIST.split())
_NEGATIONS = frozenset(_NEGATION_LIST.split())
_NO_SUBJECT = _STOP_WORDS | _NEGATIONS | frozenset(_WORDS_OF_ANY_RULE.split())

_NO_EVIDENCE = _NO_SUBJECT | frozenset(_GERMAN_WORD_LIST.split())
_ROOT_CHARACTERS = 5
MIN_SHARE_OF_WORDS = 0.5
"""Share of a rule's words that a reason must have so that the rule rests on it.

Set by hand: in tests/bench/rules.py each wording of a rule reaches it with each other wording, none with a rule on
another thing. Below it, the model is asked about one person's reasons alone, which costs a call and loses nothing.
"""

SHARED_WORDS = 5
"""Words in a row by which one text is taken to quote another. Set by hand."""


def normal(text: str) -> str:
    """Normalise a sentence, so that equal ones compare equal.

    Args:
        text: A sentence.

    Returns:
        The sentence in lower case, with single blanks and without final punctuation.
    """
    return " ".join(text.split()).lower().rstrip(".!;, ")


def sentence_key(text: str) -> str:
    """Normalise a sentence of any language; sentences with equal keys are the same.

    Args:
        text: A sentence.

    Returns:
        The sentence in lower case, with composed accents, characters of usual width, plain quotation marks and single
        blanks, and without final punctuation.
    """
    plain = narrow(without_invisible(unicodedata.normalize("NFC", text))).translate(_PLAIN_MARKS)
    return " ".join(plain.lower().split()).rstrip(_FINAL_MARKS)


def stems(text: str) -> frozenset[str]:
    """Extract the stems of the content words.

    Args:
        text: Any text.

    Returns:
        Stems of all words but stop words. The stemmer only cuts endings: crude, but the same for all texts.
    """
    return frozenset(_stem(word) for word in _WORD.findall(text.casefold()) if word not in _STOP_WORDS)


def repeats(text: str, rule: str) -> bool:
    """Decide by words whether a text says a rule again: in any language, for all but words of another order or form.

    Args:
        text: Any text.
        rule: The rule.

    Returns:
        True if both have the same stems, or are the same sentence.
    """
    own = stems(text)
    return sentence_key(text) == sentence_key(rule) or (bool(own) and own == stems(rule))


def words_rest_on(text: str, quote: str) -> bool:
    """Decide by words whether a rule rests on a reason.

    Args:
        text: The rule.
        quote: The reason.

    Returns:
        True if the reason holds the rule's sentence, or at least half of its words that tell what it is about.
    """
    if normal(text) in normal(quote):
        return True
    wanted = _evidence(text)
    return bool(wanted) and len(wanted & _evidence(quote)) >= MIN_SHARE_OF_WORDS * len(wanted)


def says(text: str, quote: str) -> bool:
    """Decide by words whether a reason says what a rule says.

    Args:
        text: The rule.
        quote: The reason.

    Returns:
        True if the rule rests on a sentence of the reason, and both are negated or neither.
    """
    turn = _is_negated(text)
    return any(words_rest_on(text, part) and _is_negated(part) == turn for part in _SENTENCE_END.split(quote))


def says_opposite(text: str, quote: str) -> bool:
    """Decide by words whether a reason says the opposite of a rule.

    Args:
        text: The rule.
        quote: The reason.

    Returns:
        True if the rule rests on the reason, and no sentence of the reason says the same.
    """
    return words_rest_on(text, quote) and not says(text, quote)


def shares_words(text: str, other: str) -> bool:
    """Decide whether a text may hold the words of another one.

    Args:
        text: A rule in a person's words.
        other: What somebody wrote, and is forgotten.

    Returns:
        True if five words in a row are the same, or all words of the shorter text, or a word of both has a digit or a
        capital letter within its sentence, as names have.
    """
    own, theirs = _written_words(text), _written_words(other)
    length = min(SHARED_WORDS, len(own), len(theirs))
    if not length:
        return False
    runs = {tuple(own[place : place + length]) for place in range(len(own) - length + 1)}
    if any(tuple(theirs[place : place + length]) in runs for place in range(len(theirs) - length + 1)):
        return True
    return not _names_in(text).isdisjoint(theirs)


def borrows(text: str, lenders: Iterable[str], own: Iterable[str]) -> bool:
    """Decide whether a text holds the words of others where its own material does not.

    Args:
        text: A rule that a model made.
        lenders: What the model read besides, as `spaced_words` writes it.
        own: The material that the rule was made of, written so too.

    Returns:
        True if five words in a row, or all words of a shorter text, or a word with a digit or a capital letter within
        its sentence stand with a lender and nowhere in its own material.
    """
    words = _written_words(text)
    length = min(SHARED_WORDS, len(words))
    if not length:
        return False
    runs = {" ".join(words[place : place + length]) for place in range(len(words) - length + 1)}
    pieces = {f" {piece} " for piece in runs | _names_in(text)}
    foreign = [piece for piece in pieces if not any(piece in material for material in own)]
    return any(piece in lender for lender in lenders for piece in foreign)


def spaced_words(text: str) -> str:
    """Write the words of a text with single blanks around each, so that a run of words can be looked for in it.

    Args:
        text: Any text.

    Returns:
        The words in lower case.
    """
    return f" {' '.join(_written_words(text))} "


def _written_words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _names_in(text: str) -> set[str]:
    return {
        word.casefold()
        for sentence in _SENTENCE_END.split(text)
        for place, word in enumerate(_WORD.findall(sentence))
        if any(char.isdigit() for char in word) or (place and word != word.lower())
    }


def _is_negated(text: str) -> bool:
    words = _words(text)
    leaves_out = "out" in words and not {"leave", "leaves", "leaving"}.isdisjoint(words)
    return leaves_out or any(word in _NEGATIONS or word.endswith("n't") for word in words)


def _evidence(text: str) -> set[str]:
    words = (word for word in _words(text) if word not in _NO_EVIDENCE and not word.endswith("n't"))
    return {_stem(word)[:_ROOT_CHARACTERS] for word in words}


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold().replace("’", "'"))


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word
