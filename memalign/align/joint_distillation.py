"""Joint distillation: the records of guidelines that lie close together, read beside each other once."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from memalign.align.round import distil
from memalign.memory.embedding_cache import VectorCache
from memalign.memory.rule_pairs import MIN_PAIR_COSINE
from memalign.memory.state import MemoryState, rationales_of
from memalign.memory.text_features import repeats
from memalign.ports import Distillation, Distiller, Draft, Vector
from memalign.records import Guideline, Usage

_log = logging.getLogger("memalign")

MIN_REPLACED_RULES = 2
"""A joint rule rests on the records of at least two of the group; one that rests on a single one repeats a rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JointDistillation:
    """The records of a group of guidelines, distilled together."""

    group: tuple[Guideline, ...]
    drafts: tuple[Draft, ...] = ()
    vectors: Mapping[str, Vector] = field(default_factory=dict)
    """Of the drafts and of the group, by text."""
    has_failed: bool = False
    """True if the model gave no answer, so that it is asked again."""
    usage: Usage = field(default_factory=Usage)


async def distil_jointly(
    state: MemoryState,
    group: Sequence[Guideline],
    instructions: str,
    distiller: Distiller,
    vectors: VectorCache,
) -> JointDistillation:
    """Distil the records of a group.

    Args:
        state: The memory.
        group: Its guidelines, each of one record.
        instructions: The judge's.
        distiller: Distils them.
        vectors: Embeds the drafts.

    Returns:
        The drafts that rest on several records, with the cost. A failure of the model is in it.

    Raises:
        StorageError: If stored vectors cannot be read.
    """
    if any(_is_wordless(rule, group) for rule in state.semantic.guidelines):
        # the record may say the retired rule again, which only then has words by which it is known
        return JointDistillation(group=tuple(group))
    rationales = rationales_of(state.episodes, group, ())
    retired = [rule for rule in state.semantic.known if rule.retired]
    distillation = await distil(distiller, instructions, rationales, retired)
    if distillation.failed:
        _log.warning(
            "Close guidelines are not distilled jointly yet: %s", next(iter(distillation.failed.values()))
        )
        return JointDistillation(group=tuple(group), has_failed=True, usage=distillation.usage)
    drafts = [
        draft
        for draft in distillation.drafts
        if len(draft.sources) >= MIN_REPLACED_RULES
        and not any(repeats(draft.text, rule.text) for rule in retired)
    ]
    if not drafts:
        return JointDistillation(group=tuple(group), usage=distillation.usage)
    texts = [*(draft.text for draft in drafts), *(rule.text for rule in group)]
    lookup = await vectors.find(list(dict.fromkeys(texts)))
    return JointDistillation(
        group=tuple(group),
        drafts=tuple(drafts),
        vectors=lookup.vectors,
        has_failed=bool(lookup.failed),
        usage=distillation.usage + lookup.usage,
    )


def with_joint_rules(state: MemoryState, joint: JointDistillation, now_ms: int) -> MemoryState:
    """Put joint rules in the place of those whose records they were distilled from.

    Args:
        state: The memory as it is now.
        joint: What was distilled. If anything of the group has changed since, nothing is taken of it.
        now_ms: Milliseconds since 1970.

    Returns:
        The memory after it. A guideline stays unless a joint rule rests on its record and lies close to it and to all
        others that it replaces; none of the group is distilled jointly again.
    """
    known = {rule.id: rule for rule in state.semantic.standing}
    is_unchanged = all(
        rule.id in known and (known[rule.id].text, known[rule.id].sources) == (rule.text, rule.sources)
        for rule in joint.group
    )
    if joint.has_failed or not is_unchanged:
        return state
    replaced: set[str] = set()
    drafts = []
    for draft in joint.drafts:
        rules = _covered(joint, draft)
        if len(rules) >= MIN_REPLACED_RULES and all(_is_near(joint, draft, rule) for rule in rules):
            drafts.append(draft)
            replaced |= {rule.id for rule in rules}
    members = {rule.id for rule in joint.group}
    marked = state.with_guidelines(
        replace(rule, has_been_joined=True) if rule.id in members else rule
        for rule in state.semantic.guidelines
    )
    if not drafts:
        return marked
    return marked.with_distillation(Distillation(drafts=tuple(drafts)), replaced, joint.vectors, now_ms)


def _is_wordless(rule: Guideline, group: Sequence[Guideline]) -> bool:
    """Tell whether a retired rule without words rests on a record of the group."""
    records = {each.sources[0].key for each in group}
    return rule.retired and not rule.has_words and any(source.key in records for source in rule.sources)


def _covered(joint: JointDistillation, draft: Draft) -> list[Guideline]:
    return [rule for rule in joint.group if rule.sources[0] in draft.sources]


def _is_near(joint: JointDistillation, draft: Draft, rule: Guideline) -> bool:
    row, other = joint.vectors.get(draft.text), joint.vectors.get(rule.text)
    return row is not None and other is not None and float(row @ other) > MIN_PAIR_COSINE
