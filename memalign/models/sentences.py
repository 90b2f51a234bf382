"""Sentences of rationales, and how much each reads like a rule rather than a remark on one case."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from memalign.models.features import flatten
from memalign.ports import Record

FEWEST_WORDS, MOST_WORDS = 5, 32
"""A rule is neither a nod nor a story."""
GOOD_ENOUGH = 2.0

_BREAK = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_a-z])|\n+|(?<=[a-z][.!?])(?=[A-Z])")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_BULLET = re.compile(r"^(?:[-*•–]|\d+[.)])\s+")
_UNFIT = re.compile(r"https?:|www\.|[<>{}|\\`@#]|^[\"“”'‘(\[]|\?$|:$|\bsources?\b\s*\d*:", re.IGNORECASE)

_DUTY = re.compile(
    r"\b(should(n['’]t)?|must(n['’]t)?|needs? to|has to|have to|ought to|cannot|can['’]t|is expected to|would expect"
    r"|never|always|soll(te|ten)?|muss|müssen|darf|dürfen|doit|doivent|devrait|debe|deben|debería)\b",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"^(the|this|an?|any|every|each|no|these|such)?\s*(\w+\s)?"
    r"(answers?|responses?|repl(y|ies)|summar(y|ies)|information|outputs?|texts?|explanations?|advice)\b",
    re.IGNORECASE,
)
_STATES = re.compile(
    r"\b(do(es)? not|do(es)?n['’]t|did not|didn['’]t|is not|isn['’]t|are not|lacks?|fails?|without|missing|omits?"
    r"|answers?|address(es)?|provides?|gives?|contains?|explains?|states?|covers?|cites?|includes?|mentions?|offers?"
    r"|relates?|repeats?|talks?|tells?|discusses|focus(es)?|directly|irrelevant|unrelated|off[ -]topic)\b",
    re.IGNORECASE,
)
_QUALITY = re.compile(
    r"\b(specific(ally)?|general|vague|detail(s|ed)?|direct(ly)?|complete(ly)?|incomplete|clear(ly)?|unclear|relevant"
    r"|irrelevant|off[ -]topic|accurate|inaccurate|correct|incorrect|helpful|unhelpful|concise|thorough|enough|only"
    r"|too (long|short|broad|general|much|little)|unnecessar(y|ily)|examples?|steps|links?|sources?|evidence|rather than"
    r"|instead of|but|because|even if|question)\b",
    re.IGNORECASE,
)
_LEANS = re.compile(
    r"^(however|but|so|also|and|or|because|then|thus|hence|therefore|though|although|while|since|they|he|she|there"
    r"|instead|besides|otherwise|moreover|furthermore|additionally|overall|yes|no|ok(ay)?|if not|same|both)\b",
    re.IGNORECASE,
)
_PERSONAL = re.compile(r"\b(i|i['’]m|i['’]d|my|me|we|maybe|perhaps|seems?|guess|sure)\b", re.IGNORECASE)
_PLAIN = frozenset(
    "a about above after all also although always an and another any are as asked asking asks at be because been before"
    " being both but by can cannot could did do does doing each either else enough even ever every few for from full"
    " fully further get gets give given gives giving had has have having here how however i if in instead into is it its"
    " itself just least less like made make makes many may me mention mentions might more most much must my need needed"
    " needs never no none nor not nothing of off on one only or other others our out over own people person provide"
    " provided provides quite rather really relate related relates say says same should simply since so some someone"
    " something still such than that the their them then there these they thing things this those through to too under"
    " unless until up upon us use used user very was way we well were what when where whether which while who whom whose"
    " why will with within without would yet you your answer answers answered answering question questions questioned"
    " information response responses reply summary text topic subject context detail details detailed specific"
    " specifically general link links example examples source sources reader advice explanation fact facts point points"
    " direct directly clear clearly complete correct relevant helpful good better best bad long short first part".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence of a rationale, fit to stand alone."""

    text: str
    score: float
    """How much it reads like a rule; from `GOOD_ENOUGH` on it may become one."""


class Vocabulary:
    """Which words people use in how many traces' rationales; tells what belongs to the matter from one case's own."""

    def __init__(self, records: Iterable[Record], quotes: Iterable[str]) -> None:
        said: dict[str, set[str]] = {}
        for record in records:
            said.setdefault(record.source.trace_id, set()).update(_words(record.source.quote))
        self._traces = Counter(word for words in said.values() for word in words)
        self._known = frozenset(word for quote in quotes for word in _words(quote))
        self._common = max(2, len(said) // 50)

    def own(self, sentence: str, fields: frozenset[str]) -> list[str]:
        """The sentence's words that come from its own trace and that hardly anyone uses of other traces."""
        return [
            word
            for word in _words(sentence)
            if word in fields
            and word not in _PLAIN
            and word not in self._known
            and self._traces[word] <= self._common
        ]


def field_words(fields: Mapping[str, object]) -> frozenset[str]:
    """The words of a trace's fields."""
    return frozenset(_words(flatten(fields)))


def candidates(record: Record, vocabulary: Vocabulary) -> Sequence[Sentence]:
    """The sentences of the record's rationale that may become a guideline, in order; often none."""
    fields = field_words(record.fields)
    scored = [
        Sentence(text=_standing(text), score=_score(text, vocabulary.own(text, fields)))
        for text in _split(record.source.quote)
    ]
    return [sentence for sentence in scored if sentence.score >= GOOD_ENOUGH]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("’", "'"))


def _split(quote: str) -> list[str]:
    parts = (_BULLET.sub("", " ".join(part.split())) for part in _BREAK.split(quote))
    return [part for part in parts if part]


def _standing(text: str) -> str:
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!…" else text.rstrip(",;- ") + "."


def _score(text: str, own: Sequence[str]) -> float:
    words = _words(text)
    if not FEWEST_WORDS <= len(words) <= MOST_WORDS or _UNFIT.search(text):
        return 0.0
    score = 2.0 * bool(_DUTY.search(text)) + 1.0 * bool(_SUBJECT.search(text)) + 1.0 * bool(_STATES.search(text))
    score += min(1.0, 0.5 * len(_QUALITY.findall(text)))
    score -= 1.0 * bool(_LEANS.search(text)) + 1.0 * bool(_PERSONAL.search(text))
    return score - 1.0 * len(own) - 0.03 * max(0, len(words) - 16)
