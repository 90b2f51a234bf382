"""Attribution: a person is a source of those rules only that rest on that person's own reasons.

A reflection model reads the reasons of several people at once, and one of them may tell it to put a rule down to the
others, or to pass theirs over. So each claimed source is compared with its quote. A reason that does not say the rule
in its own words, which happens to every paraphrase, is asked about again with those of the same person alone; so is one
of which the model made nothing. Then nobody else's words are in front of the model.

The same holds for what a model reads as context: the reasons of similar cases, and the judge's own. A rule that has
their words and not those of its sources would keep them when they are forgotten, so these sources are asked about
again without the context.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from memalign.embedded_text import text_of
from memalign.memory.text_features import borrows, says, says_opposite, spaced_words, words_rest_on
from memalign.ports import Distillation, Draft, LabelledRationale
from memalign.records import Episode, Guideline, Label, Source

Rests = Callable[[str, Source], bool]
"""Decides whether a rule rests on a source, or has it against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """A distillation with the sources that are beyond doubt."""

    distillation: Distillation
    doubtful: tuple[LabelledRationale, ...]
    """The rationales that the model claimed for a rule whose words they do not hold, or of which it made nothing."""


def attribute(
    distillation: Distillation, rationales: Sequence[LabelledRationale], known: Collection[Guideline]
) -> Attribution:
    """Check the sources that a distiller claims.

    Args:
        distillation: What the distiller made of the rationales.
        rationales: All that it was asked about; what it names beside them is dropped.
        known: The guidelines that it was shown.

    Returns:
        The checked distillation. Where all reasons that the distiller read are one person's, a source is in doubt
        only if its rule has the words of another case.
    """
    is_one_voice = len(_voices(rationales)) < 2
    says_it, opposes_it = (_rests_anyway, _rests_anyway) if is_one_voice else (_says, _says_opposite)
    has_own_words = _own_words(rationales, {rule.text for rule in known})
    doubted: set[Source] = set()

    def rests(text: str, source: Source) -> bool:
        return _noted(says_it(text, source) and has_own_words(text, source), source, doubted)

    def opposes(text: str, source: Source) -> bool:
        return _noted(opposes_it(text, source), source, doubted)

    checked = _checked(distillation, rationales, known, rests, opposes)
    counted, failed = _sources_of(checked) - doubted, distillation.failed.keys()
    doubtful = tuple(
        each
        for each in rationales
        if each.source.trace_id not in failed
        and (each.source in doubted if is_one_voice else each.source not in counted)
    )
    return Attribution(distillation=checked, doubtful=doubtful)


def _noted(rests: bool, source: Source, doubted: set[Source]) -> bool:
    """Note a source that does not bear a rule out; returns whether it does."""
    if not rests:
        doubted.add(source)
    return rests


def _voices(rationales: Sequence[LabelledRationale]) -> set[str]:
    """Return the people whose reasons are in front of the model, those of the context included."""
    shown = (opinion for case in _neighbours(rationales) for opinion in case.opinions if opinion.rationale)
    return {*(each.source.person for each in rationales), *(opinion.person for opinion in shown)}


def _neighbours(rationales: Sequence[LabelledRationale]) -> list[Episode]:
    cases = (case.episode for each in rationales for case in each.neighbours)
    return list({episode.trace_id: episode for episode in cases}.values())


def _own_words(rationales: Sequence[LabelledRationale], known: Collection[str]) -> Rests:
    """Return the check that a new rule has none of the words of the context but those that its source has, too."""
    lenders = [spaced_words(text) for text in _context_of(rationales)]
    own = {
        each.source: [spaced_words(text) for text in (each.source.quote, *text_of(each.fields))]
        for each in (rationales if lenders else ())
    }

    def rests(text: str, source: Source) -> bool:
        return not lenders or text in known or not borrows(text, lenders, own[source])

    return rests


def _context_of(rationales: Sequence[LabelledRationale]) -> list[str]:
    """Return all texts of the context."""
    texts = [each.overruled.rationale for each in rationales if each.overruled]
    for case in _neighbours(rationales):
        texts += [*case.case_text, *(opinion.rationale for opinion in case.opinions)]
    return [text for text in dict.fromkeys(texts) if text]


def _says(text: str, source: Source) -> bool:
    return says(text, source.quote)


def _says_opposite(text: str, source: Source) -> bool:
    return says_opposite(text, source.quote)


def attribute_alone(
    distillation: Distillation,
    rationales: Sequence[LabelledRationale],
    known: Collection[Guideline],
    others: Collection[LabelledRationale],
) -> Distillation:
    """Check what a distiller made of one person's rationales after others' had been in front of it as well.

    Args:
        distillation: What the distiller made of the person's rationales.
        rationales: The person's.
        known: The guidelines that it was shown.
        others: Rationales of the other people.

    Returns:
        The distillation without drafts in somebody else's words, and with those confirmations and contradictions of
        known rules that the person's own words bear out.
    """
    labels = {each.source: each.label for each in rationales}
    labels_of = {rule.text: rule.labels for rule in known}
    retired = {rule.text for rule in known if rule.retired}

    def rests(text: str, source: Source) -> bool:
        if words_rest_on(text, source.quote) or text in retired:
            # nobody else's words prompted the model here, and what it takes for a retired rule is no rule in use
            return True
        return text not in labels_of and not any(words_rest_on(text, other.source.quote) for other in others)

    def opposes(text: str, source: Source) -> bool:
        label = labels[source]
        splits = isinstance(label, bool) and label not in labels_of[text]
        return says_opposite(text, source.quote) or (splits and words_rest_on(text, source.quote))

    return _checked(distillation, rationales, known, rests, opposes)


def _sources_of(distillation: Distillation) -> set[Source]:
    """Return the sources of drafts, and of what confirms or contradicts known rules."""
    claims = (
        *(draft.sources for draft in distillation.drafts),
        *distillation.supports.values(),
        *distillation.contradicts.values(),
    )
    return {source for sources in claims for source in sources}


def _rests_anyway(_text: str, _source: Source) -> bool:
    return True


def _checked(
    distillation: Distillation,
    rationales: Sequence[LabelledRationale],
    known: Collection[Guideline],
    rests: Rests,
    opposes: Rests,
) -> Distillation:
    texts = {rule.id: rule.text for rule in known}
    asked = {each.source: each.label for each in rationales}
    drafts = tuple(
        draft for each in distillation.drafts if (draft := _with_sources(each, asked, rests)).sources
    )
    contradicts = _resting(distillation.contradicts, texts, asked, opposes)
    against = {
        (draft.text, rule_id)
        for draft in drafts
        for rule_id, sources in contradicts.items()
        if not set(draft.sources).isdisjoint(sources)
    }
    return replace(
        distillation,
        drafts=drafts,
        supports=_resting(distillation.supports, texts, asked, rests),
        contradicts=contradicts,
        conflicts=tuple(pair for pair in distillation.conflicts if tuple(pair) in against),
    )


def _with_sources(draft: Draft, asked: Mapping[Source, Label], rests: Rests) -> Draft:
    sources = tuple(source for source in draft.sources if source in asked and rests(draft.text, source))
    return replace(draft, sources=sources, labels=tuple(asked[source] for source in sources))


def _resting(
    claims: Mapping[str, Sequence[Source]], texts: Mapping[str, str], asked: Collection[Source], rests: Rests
) -> dict[str, tuple[Source, ...]]:
    """Return the claimed sources of known rules that rest on them; rules without any are left out."""
    resting = {
        rule_id: tuple(source for source in sources if source in asked and rests(texts[rule_id], source))
        for rule_id, sources in claims.items()
        if rule_id in texts
    }
    return {rule_id: sources for rule_id, sources in resting.items() if sources}
