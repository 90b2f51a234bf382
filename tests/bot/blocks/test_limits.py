"""Whatever there is to show, it keeps to Slack's limits, and the buttons of a preview are in it."""

import pytest

from bot.blocks.forget import FORGET_PERSON, FORGET_TRACE, KEEP, forget_preview, forget_result
from bot.blocks.primitives import MAX_MESSAGE_BLOCKS, MAX_MESSAGE_LENGTH, pack_messages, text_message
from bot.records import ForgetResult
from memalign.records import Forgotten, Guideline, PersonTarget, Source, TraceTarget

WORDS = "this sentence says why at some length, " * 5


def rules(number: int) -> tuple[Guideline, ...]:
    source = Source(trace_id="t", person="U", quote="r")
    return tuple(
        Guideline(id=f"g{each}", text=f"Never mention topic {each} & <co>; {WORDS}", sources=(source,))
        for each in range(number)
    )


@pytest.mark.parametrize("number", [0, 1, 45, 60, 250, 3000])
@pytest.mark.parametrize(
    ("target", "confirm"),
    [(TraceTarget(trace_id="t" * 300), FORGET_TRACE), (PersonTarget(person="U1"), FORGET_PERSON)],
)
def test_a_preview_is_one_message_with_its_buttons_however_much_goes(
    number: int, target: TraceTarget | PersonTarget, confirm: str
) -> None:
    part = Forgotten(trace_ids=tuple(map(str, range(number))), retired=rules(number), waiting=rules(number))
    result = ForgetResult(target=target, verdicts=number, people=("U1",), judges={"j" * 200: part})
    [message] = pack_messages([forget_preview(result, ["Ana"])])
    actions = message.blocks[-1]["elements"]
    assert [each["action_id"] for each in actions] == [confirm, KEEP]
    assert len(message.blocks) <= MAX_MESSAGE_BLOCKS
    texts = [block["text"]["text"] for block in message.blocks[:-1]]
    assert all(len(text) <= 3000 for text in texts)
    assert sum(map(len, texts)) <= MAX_MESSAGE_LENGTH
    lines = "\n".join(texts).splitlines()
    assert any("more guidelines" in line for line in lines) == (number > 2)
    assert sum("Never mention topic" in line for line in lines) <= 5


@pytest.mark.parametrize("number", [1, 250, 3000])
def test_a_result_is_one_message_however_much_went(number: int) -> None:
    part = Forgotten(retired=rules(number), distilled=rules(number), left=rules(number))
    result = ForgetResult(
        target=TraceTarget(trace_id="t"), verdicts=number, people=("U1",), judges={"j": part}
    )
    [message] = pack_messages([forget_result(result, ["Ana"])])
    assert all(len(block["text"]["text"]) <= 3000 for block in message.blocks)


def test_a_line_that_is_too_long_for_a_section_is_cut() -> None:
    [block] = text_message("x" * 20_000).blocks
    assert len(block["text"]["text"]) <= 3000
