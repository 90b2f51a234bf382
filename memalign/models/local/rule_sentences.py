"""Sentences of rationales, and how much each reads like a rule rather than a remark on one case."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from memalign.models.local.features import flatten
from memalign.ports import LabelledRationale
from memalign.records import Label
from memalign.rule_refusal import refusal_of

MIN_RULE_WORDS = 4
MAX_RULE_WORDS = 30
"""Shorter sentences only agree or disagree, longer ones tell a story."""
MIN_SUPPORT_SCORE = 1.0
"""Score from which on a sentence may confirm a rule."""
MIN_RULE_SCORE = 2.0
"""Score from which on a sentence may be a rule."""
MIN_FOR_WORD_COUNTS = 20
"""Traces or rationales from which on the frequency of words tells something.

All scores, weights and limits of this module are set by hand. The sentences in
tests/memalign/models/test_extractive_distiller.py hold them, and tests/bench/batch.py learns with them.
"""

_ROOT_CHARACTERS = 6
_USUAL_RULE_WORDS = 14
"""Each word beyond costs a little."""
_COMMON_SHARE = 8
"""A word in at least an eighth of the traces (two at least) belongs to the way people talk."""
_MIN_LEANING = 0.1
"""Difference to the overall share of blame from which on a label is one of praise or of blame."""
_SENTENCE_BREAK = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_a-z])|\n+|(?<=[a-z][.!?])(?=[A-Z])")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_BULLET = re.compile(r"^(?:[-*•–]|\d+[.)])\s+")
_NO_RULE = re.compile(
    r"https?:|www\.|[<>{}|\\`@#]|^[\"“”'‘(\[]|[?:]$|\bsources?\b\s*\d*:|\b(that|this|these|it|too)[.!]?$"
    r"|\bignore (all|any|the|every|previous)|\binstructions?\b|\bprompt\b"
    r"|\b(answer|say|return|output|vote) [\"']?(true|false|yes|no|pass|fail)\b",
    re.IGNORECASE,
)
"""Links, markup, quotations, questions, words to a judge, and sentences that depend on the one before."""

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
"""The output as subject, or a predicate that is said of it."""
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
_DEPENDENT = re.compile(
    r"^(however|but|so|also|and|or|because|then|thus|hence|therefore|though|although|while|since|they|he|she|it|there"
    r"|instead|besides|otherwise|moreover|furthermore|additionally|overall|yes|no,|ok(ay)?|if not|same|both)\b"
    r"|\b(this|that|the) (part|statement|claim|paragraph|sentence|line|one)\b|^this (is|was|could|should)\b"
    r"|\b(on it|of it|about it|for it|toward that)\b|\b[0-9]+\b",
    re.IGNORECASE,
)
_PERSONAL = re.compile(r"\b(i|i['’]m|i['’]d|my|me|we|our|maybe|perhaps|seems?|guess|sure)\b", re.IGNORECASE)
_EMPTY_PRAISE = re.compile(
    r"\b(good|great|nice|bad|okay|ok|fine|helpful|perfect|excellent|acceptable)\b", re.IGNORECASE
)
_REASON = re.compile(r"\b(because|since|as it|by|but|if|when|rather|instead|enough|to be)\b", re.IGNORECASE)
_BLAME = re.compile(
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
    """Cut a word to a common root of its forms: crude, but the same for all of them."""
    singular = word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
    return singular[:_ROOT_CHARACTERS]


_PLAIN = frozenset(map(_root, _PLAIN_WORDS.split()))


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSentence:
    """One sentence of a rationale that can stand alone."""

    text: str
    score: float
    """The higher, the more it reads like a rule; `MIN_RULE_SCORE` and more will do."""


class Vocabulary:
    """Words of all rationales, which tell the words of a rule from those of one case.

    Args:
        rationales: Those that are distilled together.
        known: Quotes that known guidelines rest on; their words are no longer rare.
    """

    def __init__(self, rationales: Sequence[LabelledRationale], known: Iterable[str]) -> None:
        by_trace: dict[str, set[str]] = {}
        for rationale in rationales:
            by_trace.setdefault(rationale.source.trace_id, set()).update(roots(rationale.source.quote))
        self.traces = len(by_trace)
        self._counts = Counter(root for used in by_trace.values() for root in used)
        self._known = frozenset(root for quote in known for root in roots(quote))
        self._leanings = _leanings(rationales)

    def specificity(self, sentence: str, field_roots: frozenset[str]) -> float:
        """Estimate how far a sentence speaks of its own trace only.

        Args:
            sentence: Of a rationale.
            field_roots: Roots of the words in the trace's fields.

        Returns:
            About 1 for each rare word.
        """
        rare = [root for root in roots(sentence) if self._is_rare(root)]
        # with few rationales to compare, a rare word is no proof of a remark on one case
        in_trace, outside = (1.25, 0.5) if self.traces >= MIN_FOR_WORD_COUNTS else (0.4, 0.0)
        return sum(in_trace if root in field_roots else outside for root in rare)

    def contrast(self, sentence: str, label: Label) -> float:
        """Compare the tone of a sentence with what is usual for its label.

        Args:
            sentence: Of a rationale.
            label: Of its case.

        Returns:
            -2 for praise where blame is usual, and the other way round; else 0.
        """
        leaning = self._leanings.get(label, 0.0)
        return -2.0 if leaning and (leaning > 0) != bool(_BLAME.search(sentence)) else 0.0

    def _is_rare(self, root: str) -> bool:
        common = max(2.0, self.traces / _COMMON_SHARE)
        return root not in _PLAIN and root not in self._known and self._counts[root] < common


def rule_sentences(rationale: LabelledRationale, vocabulary: Vocabulary) -> Sequence[RuleSentence]:
    """Find the sentences of a rationale that may support or become a guideline.

    Args:
        rationale: With its case.
        vocabulary: Of all rationales that are distilled together.

    Returns:
        The sentences with their scores; often none.
    """
    field_roots = frozenset(roots(flatten(rationale.fields)))
    scored = [
        RuleSentence(
            text=_punctuated(text),
            score=_form(text)
            - vocabulary.specificity(text, field_roots)
            + vocabulary.contrast(text, rationale.label),
        )
        for text in _split(rationale.source.quote)
        if _can_stand_alone(text)
    ]
    return [sentence for sentence in scored if sentence.score >= MIN_SUPPORT_SCORE]


def roots(text: str) -> list[str]:
    """Cut the words of a text to their roots.

    Args:
        text: Any text.

    Returns:
        Roots in lower case, of at most six characters, in the order of the text.
    """
    return [_root(word) for word in _WORD.findall(text.lower().replace("’", "'"))]


def _leanings(rationales: Sequence[LabelledRationale]) -> dict[Label, float]:
    """Return how much more (+) or less (-) blame a label comes with than labels do on the whole; 0 where unclear."""
    blames: dict[Label, list[bool]] = {}
    for rationale in rationales:
        blames.setdefault(rationale.label, []).append(bool(_BLAME.search(rationale.source.quote)))
    if len(rationales) < MIN_FOR_WORD_COUNTS or len(blames) < 2:
        return {}
    overall = sum(map(sum, blames.values())) / len(rationales)
    leanings = {label: sum(blamed) / len(blamed) - overall for label, blamed in blames.items()}
    return {label: leaning if abs(leaning) > _MIN_LEANING else 0.0 for label, leaning in leanings.items()}


def _split(quote: str) -> list[str]:
    parts = (_BULLET.sub("", " ".join(part.split())) for part in _SENTENCE_BREAK.split(quote))
    return [part for part in parts if part]


def _punctuated(text: str) -> str:
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!…" else text.rstrip(",;- ") + "."


def _can_stand_alone(text: str) -> bool:
    fits = MIN_RULE_WORDS <= len(roots(text)) <= MAX_RULE_WORDS
    return fits and not (_NO_RULE.search(text) or refusal_of(text))


def _form(text: str) -> float:
    """Score how much a sentence reads like a rule: duty, subject and quality speak for it."""
    excess = max(0, len(text.split()) - _USUAL_RULE_WORDS)
    return (
        2.5 * bool(_DUTY.search(text))
        + 1.0 * bool(_SUBJECT.search(text))
        + 1.0 * bool(_STATES.search(text))
        + 0.5 * min(2, len(_QUALITY.findall(text)))
        - 1.0 * bool(_DEPENDENT.search(text))
        - 1.0 * bool(_PERSONAL.search(text))
        - 1.0 * bool(_EMPTY_PRAISE.search(text) and not _REASON.search(text))
        - 0.04 * excess
    )
