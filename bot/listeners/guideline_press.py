"""A press on a guideline's button or menu: what is decided, and where the answer belongs. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.blocks.guideline_buttons import (
    APPROVE_GUIDELINE,
    GUIDELINE_MENU,
    PIN_GUIDELINE,
    RESTORE_GUIDELINE,
    RETIRE_GUIDELINE,
    UNDO_GUIDELINE,
    UNPIN_GUIDELINE,
)
from bot.blocks.guideline_modal import EDIT_VIEW, OUTCOME_VIEW, RULE_FIELD
from bot.guideline_page import GuidelineQuery
from bot.judge_names import JudgeNames
from bot.listeners.own_values import load_json
from bot.slack.payload import MalformedPayloadError
from memalign.records import Json
from storage.guideline_requests import GuidelineRequest, GuidelineRequestAction

Body = dict[str, Json]
DECISIONS: Mapping[str, GuidelineRequestAction] = {
    APPROVE_GUIDELINE: "approve",
    RETIRE_GUIDELINE: "retire",
    RESTORE_GUIDELINE: "restore",
    PIN_GUIDELINE: "pin",
    UNPIN_GUIDELINE: "unpin",
    UNDO_GUIDELINE: "undo",
}
"""The decision of each button, by action id; editing asks for words first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPlace:
    """The place where the answer to a press belongs."""

    person: str
    judge: str
    response_url: str = ""
    """Empty for a press in a modal that nothing else is to be told of."""
    query: GuidelineQuery | None = None
    """The list that was pressed in; None elsewhere."""
    is_only_mine: bool = False
    """True if only the person sees the message that was pressed in, so that the answer takes its place."""
    view_id: str = ""
    """The modal that the answer takes the place of; empty for none."""
    modal_body: Body | None = None
    """The press, where it was made in a modal on top of which the answer is shown."""

    def of_judge(self, judge: str) -> "AnswerPlace":
        """Return the place as one of that judge's."""
        query = None if self.query is None else replace(self.query, judge=judge)
        return replace(self, judge=judge, query=query)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelinePress:
    """A press, as Slack's payload tells it."""

    request_id: str
    """The same for each delivery of the press."""
    action_id: str
    guideline_id: str
    mark: str
    place: AnswerPlace

    @classmethod
    def read(cls, body: Body, names: JudgeNames) -> "GuidelinePress":
        """Read a press on a button or a menu. Raises `MalformedPayloadError`."""
        action = body["actions"][0]
        if action["action_id"] == GUIDELINE_MENU:
            listed, guideline_id = _row(str(action.get("block_id")), names)
            place = _place(body, listed.judge, listed)
            action_id, mark = str(action["selected_option"]["value"]), ""
        else:
            judge, guideline_id, mark, query = _subject(str(action.get("value")), names)
            place = _place(body, judge, query)
            action_id = str(action["action_id"])
        request_id = f"{action.get('action_ts')}:{body['user']['id']}:{action_id}:{guideline_id}"
        return cls(
            request_id=request_id,
            action_id=action_id,
            guideline_id=guideline_id,
            mark=mark,
            place=place,
        )

    def of_judge(self, judge: str) -> "GuidelinePress":
        """Return the press on the same guideline as one of that judge's."""
        return replace(self, place=self.place.of_judge(judge))

    def request(self) -> GuidelineRequest | None:
        """Return the decision that is asked for; None where words are needed first, or for an unknown action."""
        action = DECISIONS.get(self.action_id)
        if action is None:
            return None
        return GuidelineRequest(
            request_id=self.request_id,
            action=action,
            person=self.place.person,
            judge=self.place.judge,
            guideline_id=self.guideline_id,
            mark=self.mark,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EditSubmission:
    """The modal in which a guideline was edited, as it was submitted."""

    request_id: str
    guideline_id: str
    text: str
    earlier_hash: str
    """The hash of the words that the modal was opened with."""
    place: AnswerPlace

    @classmethod
    def read(cls, body: Body, names: JudgeNames) -> "EditSubmission":
        """Read a submission. Raises `MalformedPayloadError`."""
        view = body["view"]
        carried = _carried(view)
        typed = ((view["state"]["values"].get(RULE_FIELD) or {}).get(RULE_FIELD) or {}).get("value")
        judge = names.current(str(carried["judge"]))
        place = AnswerPlace(
            person=str(body["user"]["id"]),
            judge=judge,
            response_url=str(carried.get("url") or ""),
            query=_query(judge, carried.get("page")),
            is_only_mine=carried.get("page") is not None,
        )
        return cls(
            request_id=f"{view['id']}:{view.get('hash')}:edit",
            guideline_id=str(carried["guideline"]),
            text=str(typed or ""),
            earlier_hash=str(carried.get("text")),
            place=place,
        )

    def of_judge(self, judge: str) -> "EditSubmission":
        """Return the submission for the same guideline as one of that judge's."""
        return replace(self, place=self.place.of_judge(judge))

    def request(self, text: str) -> GuidelineRequest:
        """Return the decision to put the guideline into these words."""
        return GuidelineRequest(
            request_id=self.request_id,
            action="edit",
            person=self.place.person,
            judge=self.place.judge,
            guideline_id=self.guideline_id,
            text=text,
        )


def read_query(value: str, names: JudgeNames) -> GuidelineQuery:
    """Read the page that a button carries. Raises `MalformedPayloadError`."""
    match load_json(value):
        case [str(judge), str(words), int(offset)]:
            return GuidelineQuery(judge=names.current(judge), words=words, offset=offset)
    raise MalformedPayloadError("The value of the button names no page of guidelines.")


def page_of_query(query: GuidelineQuery | None) -> Json:
    """Return a page as a modal carries it beside its judge."""
    return None if query is None else [query.words, query.offset]


def text_hash(text: str) -> str:
    """Return a hash of a guideline's words, by which a modal knows if they have changed."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _row(block_id: str, names: JudgeNames) -> tuple[GuidelineQuery, str]:
    match load_json(block_id):
        case [str(short), str(guideline_id), int(offset), str(words)]:
            query = GuidelineQuery(judge=names.of_short(short), words=words, offset=offset)
            return query, guideline_id
    raise MalformedPayloadError("The block of the menu names no guideline.")


def _subject(value: str, names: JudgeNames) -> tuple[str, str, str, GuidelineQuery | None]:
    match load_json(value):
        case {"judge": str(name), "guideline": str(guideline_id), **more}:
            judge = names.current(name)
            return judge, guideline_id, str(more.get("mark") or ""), _query(judge, more.get("page"))
    raise MalformedPayloadError("The value of the button names no guideline.")


def _query(judge: str, page: Json) -> GuidelineQuery | None:
    match page:
        case [str(words), int(offset)]:
            return GuidelineQuery(judge=judge, words=words, offset=offset)
    return None


def _carried(view: Json) -> dict[str, Json]:
    match load_json(str(view.get("private_metadata"))):
        case {"judge": str(), "guideline": str()} as carried:
            return dict(carried)
    raise MalformedPayloadError("The `private_metadata` of the modal names no guideline.")


def _place(body: Body, judge: str, query: GuidelineQuery | None) -> AnswerPlace:
    person, view = str(body["user"]["id"]), body.get("view")
    if not view:
        return AnswerPlace(
            person=person,
            judge=judge,
            response_url=str(body.get("response_url") or ""),
            query=query,
            is_only_mine=bool((body.get("container") or {}).get("is_ephemeral")),
        )
    callback_id = view.get("callback_id")
    if callback_id not in (EDIT_VIEW, OUTCOME_VIEW):
        return AnswerPlace(person=person, judge=judge, modal_body=body)
    carried = _carried(view) if callback_id == EDIT_VIEW else {}
    listed = _query(judge, carried.get("page"))
    return AnswerPlace(
        person=person,
        judge=judge,
        response_url=str(carried.get("url") or "") if listed else "",
        query=listed,
        is_only_mine=listed is not None,
        view_id=str(view["id"]),
    )
