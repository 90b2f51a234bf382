"""Decisions on guidelines made at the terminal, told in numbers and words that go through the bot's HTTP port."""

from typing import ClassVar, Literal, get_args

from bot.learning.guideline_service import GuidelineService
from bot.plain_text import TERMINAL, guideline_state
from bot.web.control_arguments import ControlArguments
from memalign.records import Guideline, Json

GuidelineAction = Literal["add", "edit", "retire", "restore", "pin", "unpin", "approve", "undo"]
GUIDELINE_ACTIONS: tuple[GuidelineAction, ...] = get_args(GuidelineAction)


class GuidelineArguments(ControlArguments):
    """The body of `POST /guideline`."""

    form: ClassVar[str] = (
        'Send {"action": name, "judge": name, "guideline_id": id or its beginning, "text": words} as JSON.'
    )
    action: GuidelineAction
    judge: str
    guideline_id: str = ""
    """The id, or a beginning that no other guideline of the judge has; empty for a rule that is added."""
    text: str = ""
    """The words of a rule that is added or edited."""


async def decide(guidelines: GuidelineService, arguments: GuidelineArguments) -> dict[str, Json]:
    """Carry out a decision of somebody at the terminal.

    Returns:
        The guideline's `id`, its `text`, and a `note` on why it is not used yet; empty where it is, or is retired.

    Raises:
        UnknownGuidelineError: there is no such guideline, or there are several.
        InputError: the decision cannot be carried out.
        StorageError: the store failed.
    """
    judge, text = arguments.judge, arguments.text
    if arguments.action == "add":
        return _summary(await guidelines.add(judge, text, TERMINAL, approved_by=TERMINAL))
    known = guidelines.find(judge, arguments.guideline_id)
    if arguments.action == "edit":
        return _summary(await guidelines.edit(judge, known.id, text, TERMINAL))
    if arguments.action == "undo":
        undone = await guidelines.undo(judge, known.id, TERMINAL)
        return _summary(undone) if undone else {"id": known.id, "text": known.text, "note": "It is gone."}
    decision = {
        "retire": guidelines.retire,
        "restore": guidelines.restore,
        "pin": guidelines.pin,
        "unpin": guidelines.unpin,
        "approve": guidelines.approve,
    }[arguments.action]
    return _summary(await decision(judge, known.id, TERMINAL))


def _summary(rule: Guideline) -> dict[str, Json]:
    note = "" if rule.in_use or rule.retired else guideline_state(rule)
    return {"id": rule.id, "text": rule.text, "note": note}
