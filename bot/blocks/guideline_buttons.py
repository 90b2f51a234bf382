"""Buttons on guidelines: keep, edit, retire, restore and pin them, in threads and in lists alike."""

import json

from bot.blocks.primitives import Block, actions, button
from memalign.records import Guideline

APPROVE_GUIDELINE = "approve_guideline"
EDIT_GUIDELINE = "edit_guideline"
RETIRE_GUIDELINE = "retire_guideline"
RESTORE_GUIDELINE = "restore_guideline"
PIN_GUIDELINE = "pin_guideline"
UNPIN_GUIDELINE = "unpin_guideline"
UNDO_GUIDELINE = "undo_guideline"
GUIDELINE_MENU = "guideline_menu"
"""The menu of a guideline in the list; the values of its options are the action ids above."""

LABELS = {
    APPROVE_GUIDELINE: "Good rule",
    EDIT_GUIDELINE: "Edit",
    RETIRE_GUIDELINE: "Don't use",
    RESTORE_GUIDELINE: "Restore",
    PIN_GUIDELINE: "Pin",
    UNPIN_GUIDELINE: "Unpin",
}
"""The words on the buttons, by action id."""
USE_ANYWAY = "Use it anyway"


def guideline_value(judge: str, guideline_id: str) -> str:
    """Return the value of a guideline's button, as `GuidelineSubject` reads it."""
    return json.dumps({"judge": judge, "guideline": guideline_id}, ensure_ascii=False)


def is_retired(rule: Guideline) -> bool:
    """Return True if somebody took the guideline out of use for good."""
    return str(rule.state) == "retired"


def thread_actions(rule: Guideline) -> tuple[str, ...]:
    """Return the action ids that a guideline offers in a thread; an approved one is not approved again."""
    if is_retired(rule):
        return (RESTORE_GUIDELINE,)
    return (*approval_actions(rule), EDIT_GUIDELINE, RETIRE_GUIDELINE)


def approval_actions(rule: Guideline) -> tuple[str, ...]:
    """Return the action id by which a guideline is approved; none for one that is approved and not in doubt since."""
    return () if rule.approved_by and not rule.doubtful else (APPROVE_GUIDELINE,)


def action_label(action_id: str, rule: Guideline) -> str:
    """Return the words on a button; one that was held back is approved in spite of its trial."""
    return USE_ANYWAY if action_id == APPROVE_GUIDELINE and rule.is_held_back else LABELS[action_id]


def guideline_buttons(judge: str, rule: Guideline) -> Block:
    """Return the row of buttons below a guideline in a thread.

    Args:
        judge: the judge's name.
        rule: the guideline as it is now; it stands once in a message.
    """
    value = guideline_value(judge, rule.id)
    row = (button(action_label(action_id, rule), action_id, value) for action_id in thread_actions(rule))
    return actions(f"guideline-{rule.id}"[:255], *row)
