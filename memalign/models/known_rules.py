"""Selection of the known rules that a distiller is shown: the cost of a lesson does not grow with their number."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, zip_longest

from memalign.memory.text_features import sentence_key
from memalign.records import Guideline
from memalign.tokens import count_tokens

RULES_TOKENS = 4_000
"""Most tokens of known rules in a prompt: about 150 sentences, as many as a judge is shown. Set by hand."""
RULE_LINE_TOKENS = 14
"""Tokens that a known rule takes in a prompt beside its text."""
_LETTERS = 3
"""Letters in a row by which two texts are compared: words of any language share them with their other forms."""


def shown_rules(known: Sequence[Guideline], reasons: Iterable[str], max_tokens: int) -> list[Guideline]:
    """Select known rules.

    Args:
        known: The rules.
        reasons: To be distilled.
        max_tokens: Room that there is; no more than `RULES_TOKENS` of it is used.

    Returns:
        All if they fit; else retired ones, which must not come back, then by turns the best supported and those that
        have most letters in common with the reasons. In the order given.
    """
    room, kept = min(max_tokens, RULES_TOKENS), set[str]()
    sizes = {rule.id: count_tokens(rule.text) + RULE_LINE_TOKENS for rule in known}
    if sum(sizes.values()) <= room:
        return list(known)
    for rule in _ranked(known, reasons):
        if rule.id in kept:
            continue
        room -= sizes[rule.id]
        if room < 0:
            break
        kept.add(rule.id)
    return [rule for rule in known if rule.id in kept]


def _ranked(known: Sequence[Guideline], reasons: Iterable[str]) -> Iterator[Guideline]:
    words = frozenset[str]().union(*map(_letters, reasons))
    by_support = sorted(known, key=lambda rule: (not rule.retired, -len(rule.sources), rule.id))
    by_words = sorted(
        known, key=lambda rule: (not rule.retired, -_share(_rule_letters(rule.text), words), rule.id)
    )
    turns = chain.from_iterable(zip_longest(by_words, by_support))
    yield from (rule for rule in by_support if rule.retired)
    yield from (rule for rule in turns if rule is not None)


def _share(letters: frozenset[str], others: frozenset[str]) -> float:
    return len(letters & others) / len(letters) if letters else 0.0


@lru_cache(maxsize=4_096)
def _rule_letters(text: str) -> frozenset[str]:
    """Return a rule's letters, remembered; people's reasons are not, so that nothing forgotten stays here."""
    return _letters(text)


def _letters(text: str) -> frozenset[str]:
    key = f" {sentence_key(text)} "
    return frozenset(key[place : place + _LETTERS] for place in range(len(key) - _LETTERS + 1))
