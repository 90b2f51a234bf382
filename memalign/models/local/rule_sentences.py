"""Sentences of rationales, and how much each reads like a rule rather than a remark on one case."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from memalign.models.local.features import flatten
from memalign.ports import LabelledRationale
from memalign.records import Label

FEWEST_WORDS, MOST_WORDS = 4, 30
"""A rule is neither a nod nor a story."""
FIT_TO_SUPPORT, GOOD_ENOUGH = 1.0, 2.0
"""The score from which a sentence may confirm a rule, and from which it may be one."""
MANY = 20
"""Traces or records from which on counting words tells something."""

_ROOT = 6
_BREAK = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_a-z])|\n+|(?<=[a-z][.!?])(?=[A-Z])")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_BULLET = re.compile(r"^(?:[-*•–]|\d+[.)])\s+")
_UNFIT = re.compile(
    r"https?:|www\.|[<>{}|\\`@#]|^[\"“”'‘(\[]|[?:]$|\bsources?\b\s*\d*:|\b(that|this|these|it|too)[.!]?$"
    r"|\bignore (all|any|the|every|previous)|\binstructions?\b|\bprompt\b"
    r"|\b(answer|say|return|output|vote) [\"']?(true|false|yes|no|pass|fail)\b",
    re.IGNORECASE,
)
"""Links, markup, quotations, questions, words to a judge, and sentences that hang on the one before."""

_DUTY = re.compile(
    r"\b(should(n['’]t)?|must(n['’]t)?|needs? to|has to|have to|ought to|cannot|can['’]t|expected to|would expect"
    r"|never|always|soll(te|ten)?|muss|müssen|darf|dürfen|doit|doivent|devrait|debe|deben|debería)\b"
    r"|^(please )?(be|avoid|use|say|give|name|cite|keep|don['’]t|do not|mention|explain|start|end|write|tell|ask"
    r"|check|make sure|include|add|state|provide|stick|refer|stay|greet|prefer|put|quote)\b",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"^((the|this|an?|any|every|each|no|these|such)\s)?(\w+\s)?"
    r"(answers?|responses?|repl(y|ies)|summar(y|ies)|information|outputs?|texts?|explanations?|advice)\b"
    r"|^(this )?(do(es)?(n['’]t)?|did|is(n['’]t)?|has|only|not)\b"
    r"|^(too|should(n['’]t)?|must(n['’]t)?|needs? to|gives?|provides?|contains?|lacks?|fails?|explains?|states?"
    r"|covers?|answers?|address(es)?|repeats?|omits?|ignores?|invents?|misses)\b",
    re.IGNORECASE,
)
"""What is judged, or a predicate whose unsaid subject it is."""
_STATES = re.compile(
    r"\b(do(es)? not|do(es)?n['’]t|did not|didn['’]t|is not|isn['’]t|are not|lacks?|fails?|without|missing|omits?"
    r"|ignores?|invents?|answers? the|address(es)?|provides?|gives?|contains?|explains?|states?|covers?|cites?"
    r"|includes?|mentions?|links|names|says?|shows?|offers?|relates?|repeats?|talks?|tells?|discusses"
    r"|focus(es)?|directly|irrelevant|unrelated|off[ -]topic|too \w+|nothing|no \w+)\b",
    re.IGNORECASE,
)
_QUALITY = re.compile(
    r"\b(specific(ally)?|general|vague|detail(s|ed)?|direct(ly)?|complete(ly)?|incomplete|clear(ly)?|unclear"
    r"|relevant|irrelevant|off[ -]topic|accurate|inaccurate|correct|incorrect|helpful|unhelpful|concise|thorough"
    r"|enough|only|too \w+|unnecessar(y|ily)|examples?|steps|links?|sources?|evidence|rather than|instead of|but"
    r"|because|even if|question|polite|rude|friendly|short|long)\b",
    re.IGNORECASE,
)
_LEANS = re.compile(
    r"^(however|but|so|also|and|or|because|then|thus|hence|therefore|though|although|while|since|they|he|she|it|there"
    r"|instead|besides|otherwise|moreover|furthermore|additionally|overall|yes|no,|ok(ay)?|if not|same|both)\b"
    r"|\b(this|that|the) (part|statement|claim|paragraph|sentence|line|one)\b|^this (is|was|could|should)\b"
    r"|\b(on it|of it|about it|for it|toward that)\b|\b[0-9]+\b",
    re.IGNORECASE,
)
_PERSONAL = re.compile(r"\b(i|i['’]m|i['’]d|my|me|we|our|maybe|perhaps|seems?|guess|sure)\b", re.IGNORECASE)
_HOLLOW = re.compile(
    r"\b(good|great|nice|bad|okay|ok|fine|helpful|perfect|excellent|acceptable)\b", re.IGNORECASE
)
_REASON = re.compile(r"\b(because|since|as it|by|but|if|when|rather|instead|enough|to be)\b", re.IGNORECASE)
_BLAMES = re.compile(
    r"n['’]t\b|\b(not|no|nothing|only|lacks?|fails?|missing|vague|irrelevant|unrelated|off[ -]topic|too|bad|wrong|more"
    r"|incorrect|inaccurate|incomplete|unclear|unhelpful|could|never|without|omits?|ignores?|invents?|rude)\b",
    re.IGNORECASE,
)
_PLAIN_WORDS = """
a about above accurate actual actually address addresses advice after all also although always an and
another answer answered answering answers any are aren't as asked asker asking asks at bad be because been
before being best better both but by can can't cannot cite clear clearly complete concise context correct
could cover covers detail detailed details did didn't direct directly discuss discusses do does doesn't
doing don't each either else enough even ever every example examples explanation fact facts fail fails few
first focus for from full fully further general get gets give given gives giving good had has have having
helpful here how however i if in include included includes incorrect information instead into irrelevant is
isn't it it's its itself just lack lacks least less like link links long made make makes many may me mention
mentions might miss more most much must mustn't my name need needed needs never no none nor not nothing of
off on one only or other others our out over own part people person point points polite provide provided
provides question questioned questions quite rather reader really refer relate related relates relevant
reply response responses rude same say says short should shouldn't simply since so some someone something
source sources specific specifically state states still subject such summary talk talks tell tells text than
that that's the their them then there these they thing things this those through to too topic under unless
unrelated until up upon us use used user vague very was wasn't way we well were what when where whether
which while who whom whose why will with within without won't would wrong yet you your
"""


def _root(word: str) -> str:
    """Make one of a word's forms: crude, but the same for all of them."""
    singular = word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
    return singular[:_ROOT]


_PLAIN = frozenset(map(_root, _PLAIN_WORDS.split()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence of a rationale, fit to stand alone."""

    text: str
    score: float
    """How much it reads like a rule."""


class Vocabulary:
    """How people talk in all of the rationales: it tells a rule's words from those of one case."""

    def __init__(self, records: Sequence[LabelledRationale], known: Iterable[str]) -> None:
        said: dict[str, set[str]] = {}
        for record in records:
            said.setdefault(record.source.trace_id, set()).update(words(record.source.quote))
        self.traces = len(said)
        self._uses = Counter(word for spoken in said.values() for word in spoken)
        self._known = frozenset(word for quote in known for word in words(quote))
        self._blame = _blame(records)

    def own(self, sentence: str, fields: frozenset[str]) -> float:
        """How much of the sentence belongs to its own trace, about 1 a word."""
        rare = [word for word in words(sentence) if self._rare(word)]
        # With few rationales to compare, a rare word is no proof of a remark on one case.
        in_trace, elsewhere = (1.25, 0.5) if self.traces >= MANY else (0.4, 0.0)
        return sum(in_trace if word in fields else elsewhere for word in rare)

    def fits(self, sentence: str, label: Label) -> float:
        """0 where praise or blame is what people give with this label, less where it is not."""
        usual = self._blame.get(label, 0.0)
        return -2.0 if usual and (usual > 0) != bool(_BLAMES.search(sentence)) else 0.0

    def _rare(self, word: str) -> bool:
        common = max(2.0, self.traces / 8)
        return word not in _PLAIN and word not in self._known and self._uses[word] < common


def candidates(record: LabelledRationale, vocabulary: Vocabulary) -> Sequence[Sentence]:
    """The sentences of the record's rationale that may support or become a guideline; often none."""
    fields = frozenset(words(flatten(record.fields)))
    scored = [
        Sentence(
            text=_standing(text),
            score=_form(text) - vocabulary.own(text, fields) + vocabulary.fits(text, record.label),
        )
        for text in _split(record.source.quote)
        if _presentable(text)
    ]
    return [sentence for sentence in scored if sentence.score >= FIT_TO_SUPPORT]


def words(text: str) -> list[str]:
    """The text's words in lower case, cut to their roots."""
    return [_root(word) for word in _WORD.findall(text.lower().replace("’", "'"))]


def _blame(records: Sequence[LabelledRationale]) -> dict[Label, float]:
    """Label -> how much more (+) or less (-) blame it comes with than labels do on the whole; 0 where unclear."""
    blames: dict[Label, list[bool]] = {}
    for record in records:
        blames.setdefault(record.label, []).append(bool(_BLAMES.search(record.source.quote)))
    if len(records) < MANY or len(blames) < 2:
        return {}
    overall = sum(map(sum, blames.values())) / len(records)
    leanings = {label: sum(found) / len(found) - overall for label, found in blames.items()}
    return {label: leaning if abs(leaning) > 0.1 else 0.0 for label, leaning in leanings.items()}


def _split(quote: str) -> list[str]:
    parts = (_BULLET.sub("", " ".join(part.split())) for part in _BREAK.split(quote))
    return [part for part in parts if part]


def _standing(text: str) -> str:
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!…" else text.rstrip(",;- ") + "."


def _presentable(text: str) -> bool:
    return FEWEST_WORDS <= len(words(text)) <= MOST_WORDS and not _UNFIT.search(text)


def _form(text: str) -> float:
    long = max(0, len(text.split()) - 14)
    return (
        2.5 * bool(_DUTY.search(text))
        + 1.0 * bool(_SUBJECT.search(text))
        + 1.0 * bool(_STATES.search(text))
        + 0.5 * min(2, len(_QUALITY.findall(text)))
        - 1.0 * bool(_LEANS.search(text))
        - 1.0 * bool(_PERSONAL.search(text))
        - 1.0 * bool(_HOLLOW.search(text) and not _REASON.search(text))
        - 0.04 * long
    )
