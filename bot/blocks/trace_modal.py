"""The modals with a whole trace: as it was sent, and as the user of the application saw it."""

from collections.abc import Iterable, Iterator, Sequence

from bot.blocks.card_verdict import CardVerdict, small_print
from bot.blocks.markdown import markdown_elements
from bot.blocks.primitives import Block, actions, button, context, fit_modal, modal, section
from bot.blocks.rich_text import preformatted, rich_section, rich_text, run
from bot.blocks.trace_parts import PAGE_LENGTH, Entry, TracePart, text_pages
from bot.blocks.trace_reading import parts_of
from bot.blocks.why import why_button
from memalign.records import Trace

TRACE_VIEW = "trace_view"
SHOW_TEXT, SHOW_RENDERED = "show_text", "show_rendered"
TITLE = "The whole trace"


def trace_view(verdicts: Sequence[CardVerdict], trace: Trace) -> Block:
    """Return the modal with the verdicts and the trace's whole text, as far as Slack lets a modal hold it."""
    switch = button("As the user saw it", SHOW_RENDERED, verdicts[0].stored.verdict_id)
    blocks = [*_verdicts(verdicts, trace, "text", switch)]
    for part in parts_of(trace):
        blocks += part.whole_blocks()
    return modal(TRACE_VIEW, TITLE, fit_modal(blocks))


def rendered_trace_view(verdicts: Sequence[CardVerdict], trace: Trace) -> Block:
    """Return the same modal with Markdown rendered, and lists of records as tables."""
    switch = button("As it was sent", SHOW_TEXT, verdicts[0].stored.verdict_id)
    blocks = [*_verdicts(verdicts, trace, "rendered", switch)]
    for part in parts_of(trace):
        blocks += _pages([rich_section(run(part.title, style="bold")), *_rendered(part)])
    return modal(TRACE_VIEW, TITLE, fit_modal(blocks))


def trace_gone() -> Block:
    """Return the modal in place of a trace that was forgotten meanwhile."""
    return modal(TRACE_VIEW, TITLE, [section("This trace was forgotten; I keep nothing of it.")])


def _verdicts(verdicts: Sequence[CardVerdict], trace: Trace, name: str, switch: Block) -> Iterator[Block]:
    for number, verdict in enumerate(verdicts):
        verdict_id = verdict.stored.verdict_id
        yield section(verdict.headline)
        if not verdict.is_hidden:
            yield from (rich_text(rich_section(run(page))) for page in text_pages(verdict.reason))
        why = [] if verdict.is_hidden else [why_button(verdict_id)]
        if buttons := [*why, *([] if number else [switch])]:
            yield actions(f"{name}-{verdict_id}"[:255], *buttons)
    yield context(small_print(verdicts, trace))


def _rendered(part: TracePart) -> Iterator[Block]:
    if part.records:
        yield preformatted(part.records.aligned())
        return
    for entry in part.entries:
        yield from _rendered_entry(entry)


def _rendered_entry(entry: Entry) -> Iterator[Block]:
    if entry.label:
        yield rich_section(run(f"{entry.label}:", style="bold"))
    text = entry.text.removeprefix(":").lstrip() if entry.label else entry.text
    if entry.is_code:
        yield preformatted(text)
    elif text.strip():
        yield from markdown_elements(text)
    elif not entry.label:
        yield rich_section(run(""))


def _pages(elements: Iterable[Block]) -> list[Block]:
    """Return elements in blocks of limited length."""
    blocks, used = [rich_text()], 0
    for element in elements:
        for piece in _split(element):
            length = _length(piece)
            if used and used + length > PAGE_LENGTH:
                blocks, used = [*blocks, rich_text()], 0
            blocks[-1]["elements"].append(piece)
            used += length
    return blocks


def _split(element: Block) -> Iterator[Block]:
    """Yield a long element in pieces of limited length; the items of lists stay whole."""
    if _length(element) <= PAGE_LENGTH:
        yield element
    elif element["type"] == "rich_text_list":
        start = element.get("offset", 0)
        for number, item in enumerate(element["elements"]):
            yield {
                **element,
                "elements": [item],
                **({"offset": start + number} if "offset" in element else {}),
            }
    else:
        for each in element["elements"]:
            for page in text_pages(each["text"]):
                yield {**element, "elements": [{**each, "text": page}]}


def _length(element: Block) -> int:
    return len(element.get("text", "")) + sum(_length(each) for each in element.get("elements", ()))
