"""Frozen records of what the store keeps besides the core's own: feedback, waiting work, posts, audit lines."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from memalign.records import OMIT_DEFAULT, Json, Label, Trace, Verdict

Accepted = Literal["accepted", "duplicate", "forgotten", "full"]
"""Outcome for a trace that was handed in; only an accepted one was stored."""
PostState = Literal["due", "posting"]
"""Waiting its turn, or on its way to Slack; after a crash nobody knows whether the latter arrived."""
FeedbackEventKind = Literal["reaction", "button", "correction", "answer", "reply", "kept_vote", "supports"]
StoreState = Literal["absent", "empty", "in_use", "closed"]
"""There is nothing yet; a place without a store; a store that a process writes to; one that nobody writes to."""
Forgettable = Literal["trace", "person"]
RedactionKind = Literal["forgotten", "forgotten_reply", "expired", "taken_back", "remove", "digest"]
"""The note that takes a message's place; `remove`: the message is deleted; `digest`: it is made anew."""
TakenBack = Literal[
    "vote_removed",
    "vote_changed",
    "two_votes",
    "reason_removed",
    "reason_edited",
    "outvoted",
    "not_followed",
]
"""The reason why a guideline is no longer learned from a thread; the last: the reason given for it stands."""
SelectionReason = Literal[
    "all", "random", "unlike", "disagreement", "dissent", "new_rule", "doubtful_rule", "conflicting_rules"
]
"""The reason why a trace was given a card: all are; chance alone; nothing like it was seen; second opinions differ;
people said different things on similar cases; a guideline that led the judge is new, in doubt, or contradicts another.
"""
ShadowKind = Literal["base", "last_week"]
"""The judge without its memory; the judge with its memory as it was when the week began."""
AuditAction = Literal[
    "guideline_learned",
    "guideline_retired",
    "guideline_edited",
    "guideline_restored",
    "guideline_pinned",
    "guideline_unpinned",
    "guideline_approved",
    "guideline_undone",
    "judge_renamed",
    "forgotten",
    "person_forgotten",
    "expired",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamped:
    """A value that the latest event decides."""

    value: Json
    at: str
    """Slack's event time, seconds with a decimal part such as `1700000000.000100`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply in a card's thread as it reads now."""

    text: str | None
    """None once deleted, which is final."""
    at: str
    """Slack's event time of the last change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastMark:
    """A value that a later event of the same kind and name replaced."""

    kind: "FeedbackEventKind"
    name: str
    value: Json
    at: str
    """Slack's event time of the value, as in `Timestamped`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFeedback:
    """All that one person did about one verdict. Vote and rationale are derived from it elsewhere."""

    reactions: Mapping[str, Timestamped] = field(default_factory=dict)
    """Emoji name as Slack sends it -> whether it is there."""
    button: Timestamped | None = None
    """The vote of the buttons; its value is None once taken back."""
    correction: Timestamped | None = None
    """The value that the person holds right."""
    replies: Mapping[str, Reply] = field(default_factory=dict)
    """By the reply's own message ts."""
    kept_vote: Timestamped | None = None
    """The vote that the person chose while they held two; it overrules the marks before it."""
    supports: Timestamped | None = None
    """Ids of the guidelines that the person says cover the case, a list."""
    answer: Timestamped | None = None
    """The value chosen on a card that asked before it showed the verdict."""
    past: tuple[PastMark, ...] = field(default=(), metadata=OMIT_DEFAULT)
    """Earlier marks, for what stood at an earlier moment: of each the last of a quarter of an hour, and the last
    before a blind card showed its verdict. Never any reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackEvent:
    """One thing a person did about one message, as an event told it."""

    person: str
    kind: FeedbackEventKind
    name: str = ""
    """The emoji of a reaction, the ts of a reply; else empty."""
    value: Json
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSelection:
    """The way in which a trace was chosen for a card."""

    probability: float = 1.0
    """Chance that the judge's trace is shown, of all stages together: above 0, at most 1."""
    reason: SelectionReason = "all"
    """The largest reason for the choice."""
    features: tuple[float, ...] = ()
    """The numbers that the chance of a wrong verdict was estimated from; none where it was not estimated."""


SHOWN_AS_ALL = CardSelection()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowVerdict:
    """A value that nobody is shown: another memory's on the same trace, asked for before anybody answered."""

    kind: ShadowKind
    value: Label
    version: int = 0
    """Version of the memory; 0 for the judge without any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRoom:
    """The most cards of a day: whoever stores a card looks whether others have taken the last place meanwhile."""

    channel: int
    """Of the card's channel."""
    judge: int
    """Of the judge, by the verdicts that it gave within the day."""
    start_ms: int
    """First millisecond of the day."""
    end_ms: int
    """First millisecond of the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCard:
    """A verdict that is to be stored with its card."""

    verdict: Verdict
    channel: str
    """The channel that its card is to be posted to."""
    judged_ms: int
    """Time of the verdict, in milliseconds since 1970."""
    day: str
    """The day to count the card for, such as `2026-11-20`."""
    selection: CardSelection = SHOWN_AS_ALL
    shadows: tuple[ShadowVerdict, ...] = ()
    resembles_case: bool = False
    is_blind: bool = False
    room: CardRoom | None = None
    """None: there is a place in any case."""
    memory_version: int | None = None
    """The version of the judge's memory when the judge was asked; None: it is not compared."""
    judged_trace: Trace | None = None
    """The trace as the judge saw it; None where it cannot have grown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVerdict:
    """A verdict with what the store knows of it."""

    verdict_id: str
    verdict: Verdict
    judged_ms: int
    channel: str
    message_ts: str | None = None
    """The card that shows it; None until it is posted."""
    revision: int = 0
    """Grows whenever people's feedback on it changes."""
    forgotten_cases: int = field(default=0, metadata=OMIT_DEFAULT)
    """Cases that it was shown and whose traces were forgotten since; nothing else is known of them."""
    forgotten_cited_cases: int = field(default=0, metadata=OMIT_DEFAULT)
    """Those of them that led the judge."""
    selection: CardSelection = field(default=SHOWN_AS_ALL, metadata=OMIT_DEFAULT)
    """The way in which its trace was chosen; a verdict of an earlier version was shown as all are."""
    shadows: tuple[ShadowVerdict, ...] = field(default=(), metadata=OMIT_DEFAULT)
    """Values of the judge without memory, and with last week's; none where there was no budget for them."""
    resembles_case: bool = field(default=False, metadata=OMIT_DEFAULT)
    """True if the memory held a near copy of the trace when it was judged."""
    is_blind: bool = field(default=False, metadata=OMIT_DEFAULT)
    """True if the card asks before it shows the verdict."""
    has_card: bool = field(default=True, metadata=OMIT_DEFAULT)
    """False if nobody is shown it: its trace was judged since somebody labelled it in a tracing tool."""
    revealed_at: str | None = field(default=None, metadata=OMIT_DEFAULT)
    """Slack's time from which on a blind card shows the verdict, once somebody answered; None before, and of others."""

    card_revision: int = field(default=0, metadata=OMIT_DEFAULT)
    """Revision of the feedback that a blind card was last looked at for, since it tells what people answered."""

    @property
    def is_hidden(self) -> bool:
        """True while nobody is to see the verdict: its card asks, and waits for the first answer."""
        return self.is_blind and self.revealed_at is None

    @property
    def reason_ts(self) -> str:
        """The place, among a person's replies, of a reason that is not in the card's thread: the card's own ts."""
        return self.message_ts or f"{self.judged_ms // 1000}.{self.judged_ms % 1000:03d}000"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsampledTrace:
    """A trace that no judge is to see: only a hash of its id is kept, by which it is known when it comes again."""

    trace_id: str


SpanOutcome = Literal["accepted", "full", "forgotten", "late", "unsampled", "too large"]
"""The outcome for some spans of a trace: stored; refused for now, since too many traces wait; or dropped, since the
trace was forgotten, is judged already, was left out by sampling, or has too many spans."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanBatch:
    """The spans of one trace that came in one request, redacted."""

    trace_id: str
    spans: tuple[Json, ...]
    """As `memalign.span_forms.span_document` writes them."""
    originals: tuple[Json, ...] = field(default=(), metadata=OMIT_DEFAULT)
    """The same before redaction, where that is to be kept."""
    has_root: bool
    """True if the span without a parent is among them."""
    is_of_ai: bool
    """True if an attribute of a convention for AI is among them."""
    size: int
    """Bytes, about."""
    received_ms: int = 0
    """Milliseconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTrace:
    """A trace whose spans still arrive."""

    trace_id: str
    first_ms: int
    """Arrival of its first spans, in milliseconds since 1970."""
    due_ms: int
    """Time at which it is finished if no more come, in milliseconds since 1970."""
    has_root: bool = False
    is_of_ai: bool = False
    spans: int = 0
    size: int = 0
    """Bytes, about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracesWithoutContent:
    """Traces that told of a model and held no question and no answer."""

    number: int
    last_ms: int
    """Time at which the last one was finished, in milliseconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanWaits:
    """The times for which a trace that comes in spans is waited for, in milliseconds."""

    quiet_ms: int
    """Since its last spans, once the root is there."""
    rootless_ms: int
    """Since its last spans, while the root is not there."""
    longest_ms: int
    """Since its first spans, whatever comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceOrigin:
    """The tracing tool that a trace was read from."""

    trace_id: str
    connector: str
    """Type, address and project in one."""
    reference: str
    """The place in the tool that assessments of the trace go to."""
    read_ms: int
    """The time at which it was read, in milliseconds since 1970."""
    remote_trace_id: str = field(default="", metadata=OMIT_DEFAULT)
    """The trace's id in the tool, where it came here otherwise under another name; empty: the same."""
    place_id: str = field(default="", metadata=OMIT_DEFAULT)
    """The tool's id of the project that it was read from; empty where an earlier version read it."""

    @property
    def tool_trace_id(self) -> str:
        """The trace's id in the tool."""
        return self.remote_trace_id or self.trace_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPosition:
    """The place up to which a connector has read: the traces of its tool in order of their beginnings."""

    start_ms: int
    """Traces that began earlier are never read, in milliseconds since 1970."""
    read_ms: int
    """Beginning of the last trace that was read; those that come late are looked for in a span before it."""


AssessmentState = Literal["due", "done", "deleting"]
"""To be written; written as it should be; to be deleted in the tool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentRow:
    """An assessment of ours in a tracing tool, without its words."""

    own_id: str
    connector: str
    reference: str
    """The place in the tool, as `TraceOrigin.reference`."""
    trace_id: str
    verdict_id: str
    person: str = ""
    """The person who voted; empty for the judge's own verdict."""
    remote_id: str | None = None
    """The tool's id of it; None where it was not written, or nobody knows whether it was."""
    content_hash: str = ""
    """Of what is to stand there."""
    state: AssessmentState = "due"
    attempts: int = 0
    """Failed ones so far."""
    not_before_ms: int = 0
    reason: str | None = None
    """Reason of the last failure; None before the first."""

    def to_be_deleted(self) -> "AssessmentRow":
        """Return the row of an assessment that is to be deleted in the tool, at once."""
        return replace(self, state="deleting", content_hash="", attempts=0, not_before_ms=0, reason=None)


OutboundEventType = Literal[
    "verdict.created",
    "verdict.changed",
    "vote.changed",
    "lesson.learned",
    "lesson.changed",
    "lesson.retired",
    "lesson.edited",
    "lesson.restored",
    "lesson.pinned",
    "lesson.unpinned",
    "lesson.approved",
    "lesson.undone",
    "trace.forgotten",
    "person.forgotten",
]
"""The kind of a change that receivers outside are told of."""
FORGOTTEN_TYPES: Collection[OutboundEventType] = ("trace.forgotten", "person.forgotten")
"""Types of changes that are told whatever the judge: a receiver may hold what its settings no longer name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSubscription:
    """The events that one receiver outside is told of."""

    receiver: str
    types: tuple[OutboundEventType, ...]
    judges: tuple[str, ...] = ()
    """Judges whose events it is told; empty: of all. What is forgotten is told whatever the judge."""
    failing_since_ms: int | None = None
    """The first failure since the last success, in milliseconds since 1970; None where there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundChange:
    """A change that receivers outside are told of, by ids alone: the words are read when it is told."""

    type: OutboundEventType
    at_ms: int
    """Its time, in milliseconds since 1970."""
    judge: str = ""
    trace_id: str = ""
    verdict_id: str = ""
    guideline_id: str = ""
    person: str = ""
    """The one who voted, or who was forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundEvent:
    """A change that one receiver is still to be told of."""

    event_id: str
    """The same at each attempt."""
    receiver: str
    number: int
    """The place in the receiver's order."""
    change: OutboundChange
    attempts: int = 0
    """Failed ones so far, of this event alone."""
    not_before_ms: int = 0
    reason: str | None = None
    """Reason of the last failure; None before the first."""

    @property
    def tells_of_forgetting(self) -> bool:
        """True if it names what was forgotten, which its receiver is to delete as well."""
        return self.change.type in FORGOTTEN_TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBacklog:
    """The events that wait for one receiver."""

    waiting: int
    refused: int
    """Those that the receiver has refused so far."""
    reason: str | None
    """Reason of the last of them; None where there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalHour:
    """An hour of a calendar day in the team's time zone."""

    day: str
    """Such as `2026-11-20`."""
    hour: int
    """From 0 to 23."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A trace that may be given the card of one of its judge's windows."""

    trace_id: str
    judge: str
    window_start_ms: int
    window_end_ms: int
    """The window is up to, but without, this time."""
    rank: float
    """Hash of trace and judge, from 0 up to, but without, 1: the smallest of a window stay candidates."""
    received_ms: int
    rate: float = 1.0
    """Share of the judge's traces that were sampled when it came; above 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateWindow:
    """A part of a day, of whose traces a judge shows one."""

    judge: str
    start_ms: int
    end_ms: int
    """The first millisecond after it."""
    seen: int = 0
    """Traces that arrived in it, candidates or not."""
    chance: float | None = None
    """Chance with which it was drawn for a card; None until it is."""
    attempts: int = 0
    """Failed attempts to choose so far."""
    not_before_ms: int = 0
    reason: str | None = None
    """Reason of the last failure; None before the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A trace waiting to be judged by one judge."""

    trace_id: str
    judge: str
    received_ms: int
    attempts: int = 0
    """Failed ones so far."""
    not_before_ms: int = 0
    reason: str | None = None
    """Reason of the last failure; None before the first."""
    own_failures: int = 0
    """Failures, of those, at this trace alone: the model answered others."""
    refusals: int = 0
    """Times that the model refused what the trace holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedTraces:
    """The traces that a judge's model refused for good."""

    number: int
    reason: str
    """Of one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardContent:
    """A verdict's card, which is made from the verdict when it is sent."""

    kind: ClassVar[Literal["card"]] = "card"
    trace_id: str
    judge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonContent:
    """A message to a verdict's thread about guidelines."""

    kind: ClassVar[Literal["lesson"]] = "lesson"
    text: str
    blocks: tuple[Json, ...] = ()
    guideline_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteContent:
    """A message to a verdict's thread without guidelines: a question, or a confirmation."""

    kind: ClassVar[Literal["note"]] = "note"
    text: str
    blocks: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestContent:
    """A channel's weekly digest, which is made from what is so when it is sent."""

    kind: ClassVar[Literal["digest"]] = "digest"
    text: str = ""
    """Its words, where an earlier version made them; then `judge` is empty."""
    blocks: tuple[Json, ...] = ()
    due_ms: int = 0
    """Time at which it was due: it cannot be in the channel before."""
    judge: str = field(default="", metadata=OMIT_DEFAULT)
    week: str = field(default="", metadata=OMIT_DEFAULT)
    """The ISO week that it tells of, such as `2026-W47`."""


DigestPart = Literal["figures", "verdicts"]
"""The replies in the thread of a weekly digest: all figures, and a row for each verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestMessage:
    """A weekly digest, or a reply in its thread, as it is sent: known, so that it can be redacted."""

    post_id: str
    channel: str
    judge: str
    week: str
    """The ISO week."""
    part: DigestPart | None = None
    """None for the digest itself."""
    trace_ids: tuple[str, ...] = ()
    """All traces that it tells of, be it in a number only."""
    people: tuple[str, ...] = ()
    """All people whose votes or words it tells of."""
    ts: str | None = None
    """None until it has arrived."""
    is_stale: bool = False
    """True if it tells of what was forgotten since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestReplyContent:
    """A reply in the thread of a weekly digest, made as that is."""

    kind: ClassVar[Literal["digest_reply"]] = "digest_reply"
    judge: str
    week: str
    part: DigestPart


@dataclass(frozen=True, slots=True, kw_only=True)
class WorseningContent:
    """A warning that a judge judges worse than with another memory, which is worded when it is sent."""

    kind: ClassVar[Literal["worsening"]] = "worsening"
    judge: str
    reference: ShadowKind
    """The other memory."""
    week: str
    """The ISO week, such as `2026-W47`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusContent:
    """A verdict's thread status, which is made from what is so when it is sent."""

    kind: ClassVar[Literal["status"]] = "status"


NoticeKind = Literal["joined", "paused", "resumed", "words_forgotten", "rolled_back", "instructions_changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeContent:
    """A message to a channel, or to a person, that is worded when it is sent: it names somebody, or a judge."""

    kind: ClassVar[Literal["notice"]] = "notice"
    notice: NoticeKind
    judge: str = ""
    person: str | None = None
    """The one who did it; None for somebody at the terminal, or nobody in particular."""
    version: int = 0
    """The version of the judge's memory that somebody went back to."""


Content = (
    CardContent
    | LessonContent
    | NoteContent
    | DigestContent
    | DigestReplyContent
    | NoticeContent
    | StatusContent
    | WorseningContent
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message for a channel, kept until Slack has it."""

    post_id: str
    channel: str
    content: Content | None
    """None: it was cancelled while it was on its way, so that it is to be deleted where it arrived."""
    thread_ts: str | None = None
    verdict_id: str | None = None
    created_ms: int = field(default=0, compare=False)
    """Time of its adding, in milliseconds since 1970; 0 for a post of an earlier version."""
    nonce: str = field(default="", compare=False)
    """128 random bits that mark the post's message as ours; empty only for a post of an earlier version."""
    state: PostState = "due"
    attempts: int = 0
    """Failed ones so far."""
    not_before_ms: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingFeedback:
    """A verdict with feedback that has not been learned yet."""

    verdict_id: str
    trace_id: str
    judge: str
    revision: int
    since_ms: int
    """Time of the last change, by Slack's clock."""
    not_before_ms: int = 0
    """0 but where an earlier version put it off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgePause:
    """A judge that judges and shows nothing until it is resumed."""

    at_ms: int
    person: str | None
    """The one who paused it; None once that person's words are forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadPost:
    """A lesson, or a note without guidelines, that an earlier version told a verdict's thread."""

    message_ts: str
    guideline_ids: tuple[str, ...] = ()
    post_id: str = ""
    """The post it arrived by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownOpinion:
    """One person's opinion on one trace, from which words in a thread come."""

    trace_id: str
    person: str
    time_ms: int = 0
    """Milliseconds since 1970."""
    value: Label | None = None
    """The person's label; None where it was not known."""
    reason_hash: str = ""
    """Of the person's reason, by which an edit is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRule:
    """A guideline as a thread's status shows it."""

    ids: tuple[str, ...]
    """Its own id first, then those of the guidelines that it stands for."""
    text: str = ""
    """Its words as shown last; empty where they may not be shown any more."""
    earlier_text: str = ""
    """The words that they replaced; empty for none."""
    opinions: tuple[ShownOpinion, ...] = ()
    """All that any of these words come from."""
    authors: tuple[ShownOpinion, ...] = ()
    """Those of the opinions that were given in this thread, as they were."""
    taken_back: TakenBack | None = None
    """The reason why it is no longer learned from this thread; None while it is."""
    taken_back_by: tuple[str, ...] = ()
    """The people who are the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadRefusal:
    """A person's reason on a trace that is no rule on answers."""

    person: str
    reason: Literal["verdict", "instruction"]
    """As of `memalign.records.RefusedRule`."""
    reason_hash: str = ""
    """Of the person's words, by which an edit is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldDoubt:
    """A guideline in doubt, which people are told of in one thread."""

    guideline_id: str
    since_ms: int = 0
    """Start of the record that leaves it in doubt: a guideline may be in doubt again after a decision on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredThreadStatus:
    """The one message in a verdict's thread that tells what is so now."""

    verdict_id: str
    judge: str
    trace_id: str
    message_ts: str | None = None
    """None until it is posted."""
    rules: tuple[ShownRule, ...] = ()
    refusals: tuple[ThreadRefusal, ...] = ()
    doubts: tuple[ToldDoubt, ...] = ()
    """Guidelines that a vote in this thread left in doubt."""
    is_declined: bool = False
    """True if the reflection model refused to read reasons in the last round of learning."""
    feedback_revision: int = -1
    """Revision of the verdict's feedback when it was last at rest."""
    marks: int = 0
    """Grows with each change that it may have to tell."""
    shown_marks: int = 0
    """The marks of what the message in Slack was made from."""
    content_hash: str = ""
    """Of the message in Slack; empty where that is not known."""
    attempts: int = 0
    """Failed edits in a row."""
    not_before_ms: int = 0
    reason: str | None = None
    """Reason of the last failure; None after an edit."""

    @property
    def is_due(self) -> bool:
        """True if the message in Slack may not tell what is so."""
        return self.marks != self.shown_marks


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One action: the person, the time and the ids; never any words."""

    at_ms: int
    what: AuditAction
    judge: str
    person: str | None = None
    ids: tuple[str, ...] = ()
    lessons: tuple[tuple[str, ...], ...] = field(default=(), metadata=OMIT_DEFAULT)
    """For each guideline in `ids`, hashes of what it rests on: one distilled again shares some, whatever its id.
    Empty: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetRequest:
    """Somebody asked that a trace, or a person's words, be forgotten; it is not finished."""

    kind: Forgettable
    target: str
    """The trace's id or the person's."""
    notes: tuple[AuditLine, ...] = ()
    """For the audit: a person's are written as their words are deleted, a trace's as the request is finished.

    Empty once they are written.
    """
    replica: str = ""
    """Id of the process that was asked, and that executes it while it lives; empty for one of an earlier version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """A message in Slack that shows what is forgotten, and is to be replaced or deleted."""

    channel: str
    ts: str
    kind: RedactionKind
    person: str | None = None
    """The one who had the trace forgotten; None for somebody at the terminal, or where that is not known."""
    created_ms: int = field(default=0, compare=False)
    """Time since which it waits, in milliseconds since 1970; 0 for one of an earlier version."""
    attempts: int = 0
    """Failed ones so far."""
    not_before_ms: int = 0
    reason: str | None = None
    """Reason of the last failure; None before the first."""
