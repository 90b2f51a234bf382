"""Frozen records, passed between the packages. They hold facts, and no behaviour beyond reading them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from memalign.mlflow_feedback import CITED_GUIDELINES, SHOWN_GUIDELINES, feedback
from memalign.mlflow_names import missing_verdict_name

Label = bool | int | float | str
"""Value that a judge or a person gives one trace, in the judge's feedback value type."""

Json = Any
"""Any JSON value. A recursive alias would ask for a cast at each of some 900 places that read one."""

OMIT_DEFAULT = MappingProxyType({"omit_default": True})
"""Metadata of fields that documents lack where they hold their default, so that older files stay as they were."""
DERIVED = MappingProxyType({"derived": True})
"""Metadata of fields that documents lack, since they follow from other records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Feedback of one source (a person, a model, code) on one trace; the fields of `mlflow.entities.Assessment`."""

    name: str
    """Name of the judge that it is about; letter case and outer blanks do not matter."""
    value: Label | None
    """The source's own label for the trace; None for none."""
    rationale: str | None = None
    source_type: str = "HUMAN"
    """HUMAN, LLM_JUDGE or CODE; only HUMAN ones teach. One of the judge itself is the verdict that they answer."""
    source_id: str = "default"
    """The person; each has one vote on a trace, the newest one."""
    assessment_id: str | None = None
    valid: bool = True
    """False once it was overridden."""
    create_time_ms: int | None = None
    """Milliseconds since 1970."""
    last_update_time_ms: int | None = None
    """Milliseconds since 1970."""
    supports: tuple[str, ...] = field(default=(), metadata=OMIT_DEFAULT)
    """Ids of the judge's guidelines that the person says cover the case."""
    guideline_ids: tuple[str, ...] = field(default=(), metadata=OMIT_DEFAULT)
    """Ids of the guidelines that led a judge, by its own word; people name none here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One recorded run of somebody's application."""

    trace_id: str
    """The run's id, as the application knows it."""
    inputs: Json = None
    """The request to the application; `{{ inputs }}` of a template."""
    outputs: Json = None
    """The application's answer; `{{ outputs }}`."""
    expectations: Json = None
    """The answer that was wanted, where it is known; `{{ expectations }}`."""
    conversation: Json = None
    """Earlier and last messages; `{{ conversation }}`."""
    spans: Sequence[Json] = ()
    """The run's steps; part of `{{ trace }}`."""
    assessments: Sequence[Assessment] = ()
    judges: tuple[str, ...] = ()
    """Names of the judges meant for it; empty: all."""
    timestamp: str | None = None
    """ISO 8601."""
    url: str | None = None
    """Address of the run in the tool that recorded it."""
    metadata: Mapping[str, Json] = field(default_factory=dict)
    """Anything else on the run; no judge is shown it."""
    error: str | None = field(default=None, metadata=OMIT_DEFAULT)
    """The error with which the run ended; None where it ended well, or its spans say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The cost of model calls."""

    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    """The part of `input_tokens` that the provider served from its prompt cache."""
    output_tokens: int = 0
    embedding_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        """Add two costs."""
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            embedding_tokens=self.embedding_tokens + other.embedding_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLabel:
    """The counted vote of one person on one trace, with its reason."""

    person: str
    value: Label
    rationale: str = ""
    time_ms: int = 0
    """Milliseconds since 1970; 0 when the source gave none."""
    supports: tuple[str, ...] = field(default=(), metadata=OMIT_DEFAULT)
    """Ids of guidelines that the person says cover the case; so the opinion is a source of them without a model."""


class CaseText(NamedTuple):
    """The text by which a case is found again, in two parts, so that neither drowns the other."""

    given: str
    """The words that the application was given: inputs, expectations, earlier messages."""
    made: str = ""
    """The words that it made of them: outputs, the last answer, steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseVerdict:
    """The judge's own verdict on a case, before people labelled it.

    Its reason is not kept here: a model may quote in it whatever it was shown, also what is forgotten later. The one
    copy of it stays where verdicts are kept, and comes with the trace whenever the case is learned.
    """

    value: Label
    judged_ms: int = 0
    """Milliseconds since 1970, which tell the version of the memory that it was given by; 0: not known."""
    guideline_ids: tuple[str, ...] = field(default=(), metadata=OMIT_DEFAULT)
    """Ids of the guidelines that led the judge, by its own word; empty where it named none, or was not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One labelled case of one judge: a trace's fields, people's label, and the text by which it is found again."""

    trace_id: str
    label: Label
    fields: Mapping[str, Json]
    """The template variables that the judge uses, with this trace's values."""
    text: str
    """The words that were given; made by the same function as the text of a query. Embedded."""
    opinions: tuple[PersonLabel, ...]
    """Of those who hold `label`, oldest first; one a person."""
    minority: tuple[PersonLabel, ...] = ()
    """Of those outvoted; kept, never taught."""
    answer_text: str = field(default="", metadata=OMIT_DEFAULT)
    """The words that were made of them; embedded. Episodes of earlier versions have all words in `text`."""
    verdict: CaseVerdict | None = field(default=None, metadata=OMIT_DEFAULT)
    """The verdict that `label` answers, where it is known; judges are never shown it."""

    @property
    def is_overruled(self) -> bool:
        """True if people's label is another one than the judge's."""
        return self.verdict is not None and self.verdict.value != self.label

    @property
    def case_text(self) -> CaseText:
        """The text by which it is found again."""
        return CaseText(self.text, self.answer_text)

    @property
    def fingerprint(self) -> tuple[Label, tuple[PersonLabel, ...], tuple[PersonLabel, ...], CaseText]:
        """Equal exactly when there is nothing new to learn from the trace."""
        return (self.label, self.opinions, self.minority, self.case_text)


OpinionKey = tuple[str, str]
"""The name of one person's opinion on one trace: trace id and person. It holds none of their words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One person's rationale on one trace, on which a guideline rests."""

    trace_id: str
    person: str
    quote: str
    """The rationale, in the person's own words."""
    time_ms: int = 0

    @property
    def key(self) -> OpinionKey:
        """The opinion that it quotes."""
        return self.trace_id, self.person


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelinePolicy:
    """The conditions on which a guideline is used."""

    min_people: int = 1
    """Different people that must support it."""
    approval: Literal["auto", "manual"] = "auto"
    """"manual": a new guideline is used once somebody approves it."""
    trials: bool = False
    """True: a new guideline is used once it was tried on earlier cases."""


Lack = Literal["approval", "people", "agreement", "trial"]
"""A condition that a guideline does not meet: somebody approves it, enough people say it, people agree with the
verdicts that it leads to, it was tried on earlier cases."""
GuidelineState = Literal["used", "waiting", "pending", "overruled", "retired"]
"""The reason why a guideline is used, or is not."""
WAITING_TEXT = "(To be distilled again from the feedback that remains.)"
"""Stands for the text of a guideline that lost a source of it: that text may hold the lost source's words."""
FORGOTTEN_PERSON = "forgotten"
"""Stands for a person who decided on a guideline and was forgotten since: the decision stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """A person's decision on a guideline."""

    person: str
    time_ms: int = 0
    """Milliseconds since 1970."""
    text: str = field(default="", metadata=OMIT_DEFAULT)
    """The words of a rule that they added by hand; empty for any other decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineForm:
    """The part of a guideline that people decide on: kept so that the last decision can be undone."""

    text: str
    waiting: bool = False
    edited_by: Handling | None = None
    retired_by: Handling | None = None
    pinned_by: Handling | None = None
    approved_by: str = ""
    record_since_ms: int = field(default=0, metadata=OMIT_DEFAULT)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineRecord:
    """People's votes on the verdicts that a guideline led to; one a person and verdict."""

    up: int = 0
    """Labels that were the verdict's value."""
    down: int = 0
    """Labels that were another one."""


NO_VOTES = GuidelineRecord()


RuleRelation = Literal["same", "narrower", "opposite", "different"]
"""One rule says what the other says, holds in fewer cases, forbids what it asks for, or none of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A model's answer on a guideline beside another one."""

    guideline_id: str
    """The other one."""
    texts_hash: str
    """Of both texts as they were; where one of them is another text now, the two were not compared."""
    relation: RuleRelation


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineTrial:
    """The outcome of judging earlier cases with and without a guideline; it names none of them."""

    fixed: int
    """Cases whose verdict is right with the guideline alone; of numbers, those where it comes nearer to people's."""
    broke: int
    """Cases whose verdict is right without the guideline alone; of numbers, those where it moves away."""
    tried: int
    """Cases that were judged both ways."""
    source_traces: int = 0
    """Traces that the guideline rested on then."""
    time_ms: int = 0
    """Milliseconds since 1970."""

    @property
    def is_harmful(self) -> bool:
        """True if the guideline made more verdicts wrong than right."""
        return self.broke > self.fixed


@dataclass(frozen=True, slots=True, kw_only=True)
class Guideline:
    """A rule distilled from feedback."""

    id: str
    text: str
    sources: tuple[Source, ...]
    learned_ms: int = 0
    """Milliseconds since 1970; when it was distilled. Kept for readers of the files of judges."""
    waiting: bool = False
    """True while out of use: it lost a source and has not been distilled again from those that remain.
    Its old text is gone then, since it may hold the lost source's words; a placeholder stands for it."""
    conflicts_with: tuple[str, ...] = ()
    """Ids of guidelines that say the opposite."""
    labels: tuple[Label, ...] = ()
    """The label of each source's case, in the same order; empty when not known."""
    contradicted: tuple[Source, ...] = ()
    """Rationales that say the opposite of it."""
    overruled: bool = False
    """True while out of use, since each of its people has said the opposite later."""
    worded_by: tuple[OpinionKey, ...] = field(default=(), metadata=OMIT_DEFAULT)
    """The sources that its text was distilled from; others support it since. Empty: all (files of earlier versions)."""
    merged: tuple["MergedGuideline", ...] = field(default=(), metadata=OMIT_DEFAULT)
    """Guidelines that say the same, for which it stands. Their sources are among its own."""
    own_sources: tuple[OpinionKey, ...] = field(default=(), metadata=OMIT_DEFAULT)
    """The sources that it has without the merged ones; empty where none was merged."""
    needs_approval: bool = field(default=False, metadata=OMIT_DEFAULT)
    """True if it was learned while guidelines had to be approved."""
    approved_by: str = field(default="", metadata=OMIT_DEFAULT)
    """The person who approved it."""
    lacks: tuple[Lack, ...] = field(default=(), metadata=OMIT_DEFAULT)
    """The conditions of the policy that it does not meet."""
    added_by: Handling | None = field(default=None, metadata=OMIT_DEFAULT)
    """The person who added it by hand, on whom it rests beside its sources; None where it was distilled."""
    edited_by: Handling | None = field(default=None, metadata=OMIT_DEFAULT)
    """The person whose words it is in, since they edited it."""
    retired_by: Handling | None = field(default=None, metadata=OMIT_DEFAULT)
    """The person who took it out of use; it stays so until somebody restores it."""
    pinned_by: Handling | None = field(default=None, metadata=OMIT_DEFAULT)
    """The person who pinned it: it comes first, and is never left out for room."""
    previous: GuidelineForm | None = field(default=None, metadata=OMIT_DEFAULT)
    """Its form before the last decision on it; None where nothing can be undone."""
    doubtful: bool = field(default=False, metadata=OMIT_DEFAULT)
    """True if verdicts that it leads to are more likely wrong than right, by its record."""
    record: GuidelineRecord = field(default=NO_VOTES, compare=False, metadata=DERIVED)
    """People's votes on the verdicts that it led to since `record_since_ms`."""
    record_since_ms: int = field(default=0, metadata=OMIT_DEFAULT)
    """Milliseconds since 1970; when a person decided that it is used again, or edited it. 0: all verdicts count."""
    compared: tuple[Comparison, ...] = field(default=(), metadata=OMIT_DEFAULT)
    """Comparisons with other guidelines, each pair on the one whose id comes first, so that no pair is asked twice."""
    has_been_compared: bool = field(default=False, metadata=OMIT_DEFAULT)
    """True once a model was asked about the guidelines nearest to it, if there were any."""
    has_been_joined: bool = field(default=False, metadata=OMIT_DEFAULT)
    """True once its record was distilled together with those of guidelines close to it."""
    needs_trial: bool = field(default=False, metadata=OMIT_DEFAULT)
    """True if it was learned while guidelines had to be tried, and there were cases to try it on."""
    trial: GuidelineTrial | None = field(default=None, metadata=OMIT_DEFAULT)
    """The trial of its text as it was distilled, which a person may have edited since; None while there was none."""

    @property
    def form(self) -> GuidelineForm:
        """The part that people decide on."""
        return GuidelineForm(
            text=self.text,
            waiting=self.waiting,
            edited_by=self.edited_by,
            retired_by=self.retired_by,
            pinned_by=self.pinned_by,
            approved_by=self.approved_by,
            record_since_ms=self.record_since_ms,
        )

    @property
    def has_words(self) -> bool:
        """True if its text is its own, and no placeholder."""
        return self.text != WAITING_TEXT

    @property
    def retired(self) -> bool:
        """True while out of use by a person's decision."""
        return self.retired_by is not None

    @property
    def is_decided_on(self) -> bool:
        """True if a person has decided anything on it."""
        return bool(self.is_worded_by_hand or self.retired_by or self.pinned_by or self.approved_by)

    @property
    def is_worded_by_hand(self) -> bool:
        """True if it is in the words of a person who added or edited it."""
        return self.added_by is not None or self.edited_by is not None

    @property
    def pinned(self) -> bool:
        """True if it comes first, and is never left out for room."""
        return self.pinned_by is not None

    @property
    def pending(self) -> bool:
        """True while out of use, since it lacks something."""
        return bool(self.lacks)

    @property
    def is_held_back(self) -> bool:
        """True while out of use, since its trial made more verdicts wrong than right."""
        return "trial" in self.lacks and self.trial is not None

    @property
    def awaits_trial(self) -> bool:
        """True while it is to be tried: for the first time, or again since it rests on more cases than it did."""
        if not self.stands or "trial" not in self.lacks:
            return False
        return self.trial is None or len(self.source_trace_ids) > self.trial.source_traces

    @property
    def state(self) -> GuidelineState:
        """The state that says why it is used or not."""
        if self.retired:
            return "retired"
        if self.waiting:
            return "waiting"
        if self.overruled:
            return "overruled"
        return "pending" if self.pending else "used"

    @property
    def in_use(self) -> bool:
        """True if judges are shown it."""
        return self.state == "used"

    @property
    def stands(self) -> bool:
        """True if distillers are shown it: in use, or pending."""
        return not (self.waiting or self.overruled or self.retired)

    @property
    def source_trace_ids(self) -> tuple[str, ...]:
        """The traces it rests on, each once, in order."""
        return tuple(dict.fromkeys(source.trace_id for source in self.sources))

    @property
    def people(self) -> tuple[str, ...]:
        """The people it rests on, each once, in order; whoever added it by hand first."""
        added = () if self.added_by is None else (self.added_by.person,)
        return tuple(dict.fromkeys((*added, *(source.person for source in self.sources))))


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedGuideline:
    """A guideline for which another one stands, kept so that it can be restored."""

    guideline: Guideline
    """The guideline as it was, with what it has lost since."""
    prompted_by: tuple[OpinionKey, ...] = ()
    """The opinions in front of the model that took the two for one; without one of them they are parted again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRule:
    """A sentence that is no rule on answers, and so becomes no guideline."""

    text: str
    reason: Literal["verdict", "instruction"]
    """It fixes the verdict whatever the record, or tells a model what to do."""
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievedEpisode:
    """An episode found as similar to a trace."""

    episode: Episode
    similarity: float
    """Mean cosine of the vectors of both parts of the texts, -1 to 1."""
    copies: tuple[Episode, ...] = ()
    """Other cases of nearly the same words, for which it stands."""

    @property
    def votes(self) -> Mapping[Label, int]:
        """Label -> the people who gave it, to this case or to one of its copies."""
        opinions = (
            each for case in (self.episode, *self.copies) for each in (*case.opinions, *case.minority)
        )
        return Counter(each.value for each in opinions)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """The part of the evidence and of the record for which a prompt had no room."""

    guidelines: int = 0
    cases: int = 0
    tokens: int = 0
    """Tokens of the record, about."""


NOTHING_LEFT_OUT = LeftOut()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The part of a judge's memory that is shown to the judge model for one trace."""

    guidelines: tuple[Guideline, ...] = ()
    """In use and within the prompt budget: those shown with every trace in order of learning, then those chosen for
    this one, the most relevant last."""
    chosen: int = 0
    """Number of the last `guidelines` that were chosen for this trace."""
    left_out: int = 0
    """Guidelines in use that did not fit the budget."""
    guideline_ranking: tuple[str, ...] = ()
    """Ids of the guidelines, the one to be kept longest first, for prompts with room for some only; empty: theirs."""
    retrieved: tuple[RetrievedEpisode, ...] = ()
    """The most similar episodes, best first; never the trace's own."""
    note: str | None = None
    """Reason why there is less than there could be, for instance that the embedding model is down."""
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySize:
    """The size of a judge's memory at one moment."""

    guidelines: int = 0
    """Guidelines in use."""
    cases: int = 0


EMPTY_MEMORY = MemorySize()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A judge's answer on one trace."""

    judge: str
    trace_id: str
    value: Label
    rationale: str
    guideline_ids: tuple[str, ...] = ()
    """Guidelines that led the judge, by its own word; none where it named none, or reads none."""
    shown_guideline_ids: tuple[str, ...] = ()
    """All guidelines that it was shown, in the order in which it was shown them."""
    guideline_wordings: tuple[str, ...] = field(default=(), metadata=OMIT_DEFAULT)
    """Names of the texts that it was shown, in the order of `shown_guideline_ids`, as `guideline_id` names a text;
    empty where each guideline was in its first words, by which it is named itself."""
    cited_trace_ids: tuple[str, ...] = ()
    """Traces of the cases that led the judge, by its own word."""
    retrieved_trace_ids: tuple[str, ...] = ()
    """Traces of all similar cases that it was shown, or that decided."""
    similarities: tuple[float, ...] = ()
    """Cosine similarity of each retrieved trace, in the same order."""
    asked_for_evidence: bool = field(default=False, metadata=OMIT_DEFAULT)
    """True if the judge could name what led it; False in a verdict of an earlier version, which names nothing."""
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    """Duration of the whole call."""
    note: str | None = None
    """Reason why there was less evidence than there could be."""
    left_out: LeftOut = field(default=NOTHING_LEFT_OUT, metadata=OMIT_DEFAULT)
    """Evidence and parts of the record that the model was not shown, since its context has no room for them."""
    model: str = field(default="", metadata=OMIT_DEFAULT)
    """The model that judged, as `provider:/name`; empty in a verdict of an earlier version."""
    memory: MemorySize = field(default=EMPTY_MEMORY, metadata=OMIT_DEFAULT)
    """The size of the memory that it judged with; meaningless without a model's name."""

    if not TYPE_CHECKING:  # type checkers know the names there are

        def __getattr__(self, name: str) -> Any:
            """Refuse a name that only MLflow's feedback has, and tell how to have it."""
            raise AttributeError(missing_verdict_name(name), name=name, obj=self)

    def to_feedback(self) -> Json:
        """Convert to `mlflow.entities.Feedback`.

        Returns:
            The feedback of an LLM judge, with the ids of guidelines and similar cases, those that led it and all it was
            shown, as JSON in its metadata.

        Raises:
            SettingsError: If MLflow is not installed.
        """
        return feedback(self.judge, self.value, self.rationale, self.trace_id, self.evidence_ids)

    @property
    def evidence_ids(self) -> Mapping[str, tuple[str, ...]]:
        """The ids of what led the judge, and of all it was shown, by the names that MLflow's feedback has for them."""
        return {
            CITED_GUIDELINES: self.guideline_ids,
            SHOWN_GUIDELINES: self.shown_guideline_ids,
            "cited_trace_ids": self.cited_trace_ids,
            "retrieved_example_trace_ids": self.retrieved_trace_ids,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Report on one round of learning, trace by trace and guideline by guideline."""

    learned: tuple[str, ...] = ()
    """Ids of the traces that are in memory now, or out of it as asked."""
    unchanged: tuple[str, ...] = ()
    """Ids of the traces with nothing new."""
    pending: Mapping[str, str] = field(default_factory=dict)
    """Trace id -> why it waits; the next round tries again."""
    declined: Mapping[str, str] = field(default_factory=dict)
    """Trace id -> why the model will not read its reasons; the case is in memory, and nothing waits any more."""
    retry_after: float = 0.0
    """Seconds after which a model's service asks to be called again."""
    rejected: Mapping[str, str] = field(default_factory=dict)
    """Trace id -> why nothing can be learned from it."""
    added: tuple[Guideline, ...] = ()
    """Guidelines that are in use now and were not before."""
    retired: tuple[Guideline, ...] = ()
    """Guidelines that lost their last source, or that all their people have turned against."""
    retracted: tuple[str, ...] = ()
    """The traces among `learned` whose feedback was all taken back: their episodes are gone."""
    merged: tuple[Guideline, ...] = ()
    """Guidelines that stand for more guidelines than before."""
    doubted: tuple[Guideline, ...] = ()
    """Guidelines that are doubtful now and were not before; they are out of use, unless pinned."""
    refused: tuple[RefusedRule, ...] = ()
    """Sentences that are no rules: they fix the verdict, or instruct the model."""
    held_back: tuple[Guideline, ...] = ()
    """Retired guidelines that were said again: they stay out of use, and rest on more sources than before."""
    dropped: int = 0
    """Drafts of the reflection model that only repeat its prompt."""
    tried: tuple[Guideline, ...] = ()
    """New guidelines that were tried on earlier cases, used or held back; `trial` says what came of it."""
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceTarget:
    """A trace to be forgotten."""

    trace_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonTarget:
    """A person whose votes and words are to be forgotten."""

    person: str


ForgetTarget = TraceTarget | PersonTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """Report on what forgetting takes, or took, out of one judge's memory."""

    trace_ids: tuple[str, ...] = ()
    """The traces that were known to the memory."""
    retired: tuple[Guideline, ...] = ()
    """Guidelines that rested on these traces alone: gone."""
    waiting: tuple[Guideline, ...] = ()
    """Guidelines that keep other sources: out of use until distilled again from those."""
    distilled: tuple[Guideline, ...] = ()
    """Guidelines that the remaining sources were distilled into; empty in a preview or while the model is down."""
    left: tuple[Guideline, ...] = ()
    """The guidelines among `waiting` that are not distilled again yet; the next round of learning tries."""
    people: tuple[str, ...] = ()
    """People whose words are concerned."""
    usage: Usage = field(default_factory=Usage)


VersionKind = Literal["lesson", "trial", "edit", "forget", "rollback", "settings"]
"""The kind of change that made a version of a memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBackCase:
    """A case that differs from people's feedback since a roll-back, until they change their feedback on it."""

    trace_id: str
    opinions: tuple[tuple[str, str], ...] = ()
    """Person and a hash of what they say, as far as it was learned before the roll-back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDiff:
    """The differences between two versions of a memory."""

    came: tuple[Guideline, ...] = ()
    went: tuple[Guideline, ...] = ()
    changed: tuple["GuidelineChange", ...] = ()
    cases_came: tuple[Episode, ...] = ()
    cases_went: tuple[Episode, ...] = ()
    cases_changed: tuple[Episode, ...] = ()
    """As they are after the change."""

    @property
    def is_empty(self) -> bool:
        """True if both versions hold the same."""
        return not any(getattr(self, name) for name in self.__slots__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineChange:
    """A guideline that both versions have, in different forms."""

    before: Guideline
    after: Guideline


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryVersion:
    """One version of a judge's memory: who made it, when, and by what."""

    number: int
    """1, 2, …; 0 is the memory before its first recorded change."""
    at_ms: int
    """Milliseconds since 1970."""
    kind: VersionKind
    people: tuple[str, ...] = ()
    """The people who made the change; empty: nobody did, as when a rule is distilled again."""
    action: str = ""
    """The decision on a guideline that it carried out, such as `retire`; empty for none."""
    rollback_to: int | None = None
    """The version that a roll-back went back to."""
    round_id: str = ""
    """The round of learning that made it."""
    note: str = ""
    """A sentence on a change of the settings."""
    cases_forgotten: int = 0
    guidelines_forgotten: int = 0
