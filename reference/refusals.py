"""Sentences of errors, read from the source: each place where one is raised, with its words."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bot.web.request_error import RequestError
from memalign.errors import MemAlignError
from reference.tables import table

ROOT = Path(__file__).parents[1]
PACKAGES = ("bot", "storage", "memalign")
NOT_PRODUCT = ("bot/sandbox/web_api", "bot/sandbox/workspace", "bot/sandbox/delivery", "bot/sandbox/page")
VALUE_ERRORS = {"ValueError", "ArgumentTypeError"}
VALUE_ERROR_PLACES = ("bot/config/", "bot/__main__.py", "bot/ingest/trace_body.py")
"""Places whose `ValueError` becomes a sentence that a person reads."""
AREAS: Mapping[str, tuple[str, ...]] = {
    "Settings": ("bot/config/", "bot/app.py", "bot/runtime/", "bot/judging/value_problems.py"),
    "Commands": ("bot/__main__.py", "bot/cli/", "bot/pages/", "bot/sandbox/"),
    "Files and exports": ("bot/conversion/",),
    "HTTP and OpenTelemetry": ("bot/web/", "bot/ingest/"),
    "Slack": ("bot/slack/", "bot/listeners/", "bot/forgetting/", "bot/learning/", "bot/posting/", "bot/"),
    "Models": ("memalign/models/",),
    "The store": ("storage/",),
    "Judges and the library": ("memalign/",),
}
"""Areas by the beginnings of their modules' paths; the first that fits counts. Connectors come before Slack."""
CONNECTORS = "bot/connectors/"
MIN_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A sentence, with ‹…› for what is filled in."""

    area: str
    error: str
    sentence: str
    status: int | None
    module: str


@cache
def all_refusals() -> tuple[Refusal, ...]:
    """Return the sentences in the order of the areas, each once."""
    refusals = {
        (each.area, each.sentence): each
        for module, tree in _trees().items()
        for each in _refusals_in(module, tree)
    }
    areas = [*AREAS, "Connectors"]
    return tuple(sorted(refusals.values(), key=lambda each: (areas.index(each.area), each.sentence.lower())))


def request_refusals() -> list[tuple[int, str]]:
    """Return the refusals of the HTTP server: status and sentence."""
    return sorted(
        {(each.status, each.sentence) for each in all_refusals() if each.status is not None},
    )


def sentences() -> str:
    """Return a table of the sentences for each area."""
    parts = []
    for area in (*AREAS, "Connectors"):
        rows = [(each.sentence,) for each in all_refusals() if each.area == area]
        if rows:
            parts.append(f"## {area}\n\n{table(('sentence',), rows)}")
    return "\n".join(parts)


@cache
def error_names() -> frozenset[str]:
    """Return the names of all classes of errors whose words a person may read."""
    definitions = [
        node for tree in _trees().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    ]
    names = {MemAlignError.__name__}
    while more := {each.name for each in definitions if _bases(each) & names} - names:
        names |= more
    return frozenset(names | VALUE_ERRORS)


def _bases(definition: ast.ClassDef) -> set[str]:
    return {base.id for base in definition.bases if isinstance(base, ast.Name)}


@cache
def _trees() -> Mapping[str, ast.Module]:
    """Return the product's modules by their paths, without the stand-in for Slack."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    modules = {path.relative_to(ROOT).as_posix(): path for path in paths}
    return {
        module: ast.parse(path.read_text(encoding="utf-8"))
        for module, path in modules.items()
        if not module.startswith(NOT_PRODUCT)
    }


def _refusals_in(module: str, tree: ast.Module) -> Iterator[Refusal]:
    constants = _constants(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not _is_error(node, module):
            continue
        texts = [text for argument in node.args if (text := words_of(argument, constants))]
        if texts and len(texts[0].split()) >= MIN_WORDS:
            yield Refusal(
                area=area_of(module),
                error=_name(node),
                sentence=texts[0],
                status=_status(node),
                module=module,
            )


def _is_error(call: ast.Call, module: str) -> bool:
    name = _name(call)
    return name in error_names() and (name not in VALUE_ERRORS or module.startswith(VALUE_ERROR_PLACES))


def _name(call: ast.Call) -> str:
    function = call.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _status(call: ast.Call) -> int | None:
    first = call.args[0] if call.args else None
    is_request = _name(call) == RequestError.__name__ and isinstance(first, ast.Constant)
    return int(ast.literal_eval(first)) if is_request and first is not None else None


def area_of(module: str) -> str:
    """Return the area of a module."""
    if module.startswith(CONNECTORS):
        return "Connectors"
    return next(area for area, places in AREAS.items() if module.startswith(places))


def words_of(node: ast.expr, constants: Mapping[str, str]) -> str:
    """Return the words of a text in the source; empty where it is no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_part(part, constants) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return words_of(node.left, constants) + words_of(node.right, constants)
    return constants.get(node.id, "") if isinstance(node, ast.Name) else ""


def _part(part: ast.expr, constants: Mapping[str, str]) -> str:
    if not isinstance(part, ast.FormattedValue):
        return words_of(part, constants)
    return words_of(part.value, constants) or f"‹{_placeholder(part.value)}›"


def _placeholder(value: ast.expr) -> str:
    """Return a word for what is filled in."""
    names = [node for node in ast.walk(value) if isinstance(node, ast.Name | ast.Attribute)]
    words = [node.id if isinstance(node, ast.Name) else node.attr for node in names]
    return words[0].lstrip("_").replace("_", " ") if words else "…"


def _constants(tree: ast.Module) -> dict[str, str]:
    """Return the texts that a module's constants hold."""
    constants: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            constants[node.targets[0].id] = words_of(node.value, constants)
    return {name: text for name, text in constants.items() if text}
