"""Markdown as rich text, for people who want to read an answer as the user of the application saw it.

Links are shown as text with their address beside it, so that nobody is led elsewhere than it says; what looks like a
mention stays text.
"""

from collections.abc import Iterable, Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bot.blocks.primitives import Block
from bot.blocks.rich_text import preformatted, quote, rich_section, run
from bot.blocks.tables import Table

MAX_INDENT = 8
MAX_OFFSET = 900
"""Lists that begin with a larger number show it as text."""
STYLES = {"strong": "bold", "em": "italic", "s": "strike"}
PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def markdown_elements(text: str) -> list[Block]:
    """Return a text in Markdown as elements of a rich text block."""
    elements: list[Block] = []
    for element in _elements(SyntaxTreeNode(PARSER.parse(text)).children):
        if elements and _continues(elements[-1], element):
            elements[-1] = {**elements[-1], "elements": [*elements[-1]["elements"], *element["elements"]]}
        else:
            elements.append(element)
    return elements


def _continues(before: Block, element: Block) -> bool:
    """Return True for the next item of the same list."""
    if not before["type"] == element["type"] == "rich_text_list":
        return False
    kinds = [(each["style"], each["indent"], each.get("border")) for each in (before, element)]
    number = before.get("offset", 0) + len(before["elements"])
    return kinds[0] == kinds[1] and (before["style"] == "bullet" or element.get("offset", 0) == number)


def _elements(nodes: Iterable[SyntaxTreeNode], indent: int = 0) -> Iterator[Block]:
    for node in nodes:
        match node.type:
            case "paragraph":
                yield rich_section(*_runs(node.children), *_gap(node))
            case "heading":
                yield rich_section(*_runs(node.children, ("bold",)))
            case "bullet_list" | "ordered_list":
                yield from _list(node, indent)
            case "blockquote":
                yield from map(_quoted, _elements(node.children))
            case "fence" | "code_block":
                yield preformatted(node.content.rstrip("\n") or " ")
            case "table":
                yield preformatted(_table(node).aligned())
            case "hr":
                yield rich_section(run("———"))
            case _:
                yield rich_section(run(node.content or " "))


def _gap(node: SyntaxTreeNode) -> list[Block]:
    """Return the blank line between a paragraph and another paragraph or a heading."""
    following = node.next_sibling
    is_followed = following is not None and following.type in ("paragraph", "heading")
    return [run("\n")] if is_followed and node.parent and node.parent.type == "root" else []


def _quoted(element: Block) -> Block:
    if element["type"] == "rich_text_section":
        return quote(*element["elements"])
    return {**element, "border": 1} if element["type"] != "rich_text_quote" else element


def _list(node: SyntaxTreeNode, indent: int) -> Iterator[Block]:
    """Yield a list; what stands in its items follows them as lists of its own, further in."""
    start = int(node.attrs.get("start", 1))
    is_ordered = node.type == "ordered_list" and start + len(node.children) <= MAX_OFFSET
    for number, item in enumerate(node.children, start=start):
        own = [child for child in item.children if child.type in ("paragraph", "heading")]
        mark = [run(f"{number}. ")] if node.type == "ordered_list" and not is_ordered else []
        yield {
            "type": "rich_text_list",
            "style": "ordered" if is_ordered else "bullet",
            "indent": min(indent, MAX_INDENT),
            **({"offset": number - 1} if is_ordered and number > 1 else {}),
            "elements": [rich_section(*mark, *_lines(own))],
        }
        yield from _elements((child for child in item.children if child not in own), indent + 1)


def _lines(nodes: Sequence[SyntaxTreeNode]) -> Iterator[Block]:
    for number, node in enumerate(nodes):
        if number:
            yield run("\n")
        yield from _runs(node.children)
    if not nodes:
        yield run(" ")


def _table(node: SyntaxTreeNode) -> Table:
    header, *rows = [
        tuple("".join(run["text"] for run in _runs(cell.children)).strip() for cell in row.children)
        for part in node.children
        for row in part.children
    ]
    return Table(header=header, rows=tuple(rows))


def _runs(nodes: Iterable[SyntaxTreeNode], styles: tuple[str, ...] = ()) -> Iterator[Block]:
    """Yield the runs of inline nodes."""
    style = " ".join(styles)
    for node in nodes:
        match node.type:
            case "inline":
                yield from _runs(node.children, styles)
            case "softbreak" | "hardbreak":
                yield run("\n")
            case "code_inline":
                yield run(node.content, style=" ".join((*styles, "code")))
            case "strong" | "em" | "s":
                yield from _runs(node.children, (*styles, STYLES[node.type]))
            case "link":
                yield from _link(node, styles)
            case "image":
                yield run(f"{node.content} ({node.attrs['src']})".strip(), style=style)
            case _ if node.content:
                yield run(node.content, style=style)


def _link(node: SyntaxTreeNode, styles: tuple[str, ...]) -> Iterator[Block]:
    shown = [*_runs(node.children, styles)]
    address = str(node.attrs["href"])
    yield from shown
    if address not in ("".join(run["text"] for run in shown), ""):
        yield run(f" ({address})", style=" ".join(styles))
