"""The layers in docs/architecture.md as boxes: Mermaid itself would be a script from elsewhere."""

import re
from html import escape
from itertools import pairwise

MERMAID = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LABEL = re.compile(r'(\w+)\["([^"]+)"\]')


def draw_layers(markdown: str) -> str:
    """Replace each flowchart by stacks of boxes, the topmost layer first."""
    return MERMAID.sub(lambda match: _figure(match[1]), markdown)


def _figure(diagram: str) -> str:
    labels = dict(LABEL.findall(diagram))
    following: dict[str, str] = {}
    for line in LABEL.sub(r"\1", diagram).splitlines():
        following.update(pairwise(re.split(r" *--> *", line.strip())))
    tops = [node for node in following if node not in following.values()]
    stacks = "".join(_stack(_chain(top, following), labels) for top in tops)
    return f'<div class="layers" markdown="0">{stacks}</div>'


def _chain(top: str, following: dict[str, str]) -> list[str]:
    nodes = [top]
    while nodes[-1] in following:
        nodes.append(following[nodes[-1]])
    return nodes


def _stack(nodes: list[str], labels: dict[str, str]) -> str:
    rows = "".join(f"<li>{_names(labels.get(node, node))}</li>" for node in nodes)
    return f"<ol>{rows}</ol>"


def _names(label: str) -> str:
    return " ".join(f"<code>{escape(name)}</code>" for name in label.split(" | "))
