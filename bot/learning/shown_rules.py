"""The rules that a thread's status shows, carried on from what it showed before: new, in other words, taken back.

Pure.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.feedback import Feedback
from memalign.memory.guideline_merge import merged_into, opinions_of
from memalign.records import Episode, Guideline, Source
from storage.records import ShownOpinion, ShownRule, TakenBack

MAX_TAKEN_BACK_SHOWN = 3
"""Rules taken back that a thread goes on showing, the newest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleNow:
    """People's feedback on a verdict as it stands now."""

    feedback: Mapping[str, Feedback]
    """The feedback that counts, by person."""
    undecided: frozenset[str] = frozenset()
    """People who give two different votes, so that neither counts."""
    uncounted: frozenset[str] = frozenset()
    """People whose feedback stands and does not count here."""


def rules_taught_on(trace_id: str, guidelines: Sequence[Guideline]) -> tuple[Guideline, ...]:
    """Return the guidelines that rest on a trace, or that stand for others because of it."""
    return tuple(rule for rule in guidelines if _is_taught_on(rule, trace_id))


def next_shown_rules(
    shown: Sequence[ShownRule],
    trace_id: str,
    guidelines: Sequence[Guideline],
    people: PeopleNow,
    episode: Episode | None,
) -> tuple[ShownRule, ...]:
    """Return the rules to be shown from now on.

    Args:
        shown: those shown until now.
        trace_id: the trace of the thread's verdict.
        guidelines: all that the memory holds.
        people: what people say of the verdict now.
        episode: the case that the memory holds of the trace.
    """
    held = {rule_id for rule in guidelines for rule_id in ids_of(rule)}
    standing = [_as_shown(rule, trace_id, shown) for rule in rules_taught_on(trace_id, guidelines)]
    # a rule that the memory still holds from other threads is not taken back, and this thread tells no more of it
    lost = (rule for rule in shown if held.isdisjoint(rule.ids) and rule.text)
    gone = [_taken_back(rule, people, episode) for rule in lost]
    standing, gone = _with_edits(standing, gone, {rule_id for rule in shown for rule_id in rule.ids})
    return (*standing, *gone[-MAX_TAKEN_BACK_SHOWN:])


def ids_of(rule: Guideline) -> tuple[str, ...]:
    """Return the ids of a guideline, its own first, and of those it stands for."""
    return (rule.id, *(each.id for each in merged_into(rule)))


def reason_hash(text: str) -> str:
    """Return a hash of a person's reason."""
    return hashlib.sha256(text.strip().encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _is_taught_on(rule: Guideline, trace_id: str) -> bool:
    return trace_id in rule.source_trace_ids or any(
        key[0] == trace_id for each in rule.merged for key in each.prompted_by
    )


def _as_shown(rule: Guideline, trace_id: str, shown: Sequence[ShownRule]) -> ShownRule:
    before = next((each for each in shown if not set(each.ids).isdisjoint(ids_of(rule))), None)
    opinions = dict.fromkeys(_opinion(source) for source in rule.sources)
    opinions |= dict.fromkeys(
        ShownOpinion(trace_id=key[0], person=key[1])
        for key in opinions_of(rule)
        if key not in {source.key for source in rule.sources}
    )
    # words that a person gave it go with that person
    opinions |= dict.fromkeys(
        ShownOpinion(trace_id="", person=author.person, time_ms=author.time_ms)
        for author in (rule.added_by, rule.edited_by)
        if author
    )
    earlier_text = ""
    if before is not None and before.taken_back is None and not rule.waiting:
        is_edited = bool(before.text) and before.ids[0] == rule.id and before.text != rule.text
        earlier_text = before.text if is_edited else before.earlier_text
        if earlier_text:
            opinions |= dict.fromkeys(before.opinions)
    labels = dict(zip((source.key for source in rule.sources), rule.labels, strict=False))
    return ShownRule(
        ids=ids_of(rule),
        text=rule.text if rule.has_words else "",
        earlier_text=earlier_text,
        opinions=tuple(opinions),
        authors=tuple(
            replace(_opinion(source), value=labels.get(source.key), reason_hash=reason_hash(source.quote))
            for source in rule.sources
            if source.trace_id == trace_id
        ),
    )


def _opinion(source: Source) -> ShownOpinion:
    return ShownOpinion(trace_id=source.trace_id, person=source.person, time_ms=source.time_ms)


def _taken_back(rule: ShownRule, now: PeopleNow, episode: Episode | None) -> ShownRule:
    """Return the rule as taken back, with the cause as it is now: a later change may be another one."""
    causes = {author.person: _cause(author, now, episode) for author in rule.authors}
    cause: TakenBack = next((each for each in causes.values() if each != "not_followed"), "not_followed")
    if rule.taken_back is not None and cause == "not_followed":
        return rule
    people = tuple(person for person, each in causes.items() if each == cause and each != "not_followed")
    if cause == "outvoted" and episode is not None:
        people = tuple(opinion.person for opinion in episode.opinions)
    return replace(rule, earlier_text="", taken_back=cause, taken_back_by=people)


def _cause(author: ShownOpinion, now: PeopleNow, episode: Episode | None) -> TakenBack:
    feedback = now.feedback.get(author.person)
    if author.person in now.uncounted:
        return "not_followed"
    if author.person in now.undecided:
        return "two_votes"
    if feedback is None or feedback.vote is None:
        return "vote_removed"
    if feedback.value is None or (author.value is not None and feedback.value != author.value):
        return "vote_changed"
    if not feedback.rationale:
        return "reason_removed"
    if reason_hash(feedback.rationale) != author.reason_hash:
        return "reason_edited"
    if episode is not None and feedback.value != episode.label:
        return "outvoted"
    return "not_followed"


def _with_edits(
    standing: Sequence[ShownRule], gone: Sequence[ShownRule], known_ids: set[str]
) -> tuple[list[ShownRule], list[ShownRule]]:
    """Let a new rule take the place of the one that its author's edit took back, or whose reason teaches it now."""
    told, left = [], list(gone)
    for rule in standing:
        before = next((each for each in left if _is_edit(each, rule)), None)
        if before is None or not rule.text or not known_ids.isdisjoint(rule.ids):
            told.append(rule)
        else:
            left.remove(before)
            opinions = tuple(dict.fromkeys((*rule.opinions, *before.opinions)))
            told.append(replace(rule, earlier_text=before.text, opinions=opinions))
    return told, left


def _is_edit(before: ShownRule, rule: ShownRule) -> bool:
    if before.taken_back == "not_followed":
        # distilled again, alone or together with others
        return not _reasons_of(before).isdisjoint(_reasons_of(rule))
    people = {author.person for author in rule.authors}
    return before.taken_back == "reason_edited" and not people.isdisjoint(before.taken_back_by)


def _reasons_of(rule: ShownRule) -> set[tuple[str, str]]:
    """Return the reasons in this thread that a rule rests on: person and hash."""
    return {(author.person, author.reason_hash) for author in rule.authors}
