"""Sentences of errors, read from the source: each place where one is raised, with its words."""

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bot.ingest.trace_report import REASONS as TRACE_REASONS
from bot.slack.errors import APP_TOKEN_REMEDIES, REMEDIES
from bot.slack.signature_health import REASONS as SIGNATURE_REASONS
from bot.web.request_error import RequestError
from memalign.errors import MemAlignError
from reference.tables import table

ROOT = Path(__file__).parents[1]
PACKAGES = ("bot", "storage", "memalign")
NOT_PRODUCT = ("bot/sandbox/web_api", "bot/sandbox/workspace", "bot/sandbox/delivery", "bot/sandbox/page")
VALUE_ERRORS = {"ValueError", "ArgumentTypeError"}
VALUE_ERROR_PLACES = ("bot/config/", "bot/__main__.py", "bot/trace_json/trace_body.py")
"""Places whose `ValueError` becomes a sentence that a person reads."""
AREAS: Mapping[str, tuple[str, ...]] = {
    "Settings": ("bot/config/", "bot/app.py", "bot/runtime/", "bot/judging/value_problems.py"),
    "Commands": ("bot/__main__.py", "bot/cli/", "bot/pages/", "bot/sandbox/"),
    "Files and exports": ("bot/conversion/",),
    "HTTP and OpenTelemetry": ("bot/web/", "bot/ingest/"),
    "Connectors and events out": ("bot/connectors/", "bot/outbound/"),
    "Slack": ("bot/slack/", "bot/listeners/", "bot/forgetting/", "bot/learning/", "bot/posting/", "bot/"),
    "Models": ("memalign/models/",),
    "The store": ("storage/",),
    "Judges and the library": ("memalign/",),
}
"""Areas by the beginnings of their modules' paths; the first that fits counts."""
MIN_WORDS = 2
PLACEHOLDER = re.compile("‹[^›]*›")
REASON_KEYWORDS: Mapping[str, str] = {"RejectedTrace": "reason", "Finding": "words"}
"""Classes beside the errors that hold a sentence -> the argument that does."""
WORDED: Mapping[str, Collection[str]] = {
    "Slack": [*REMEDIES.values(), *APP_TOKEN_REMEDIES.values(), *SIGNATURE_REASONS.values()],
    "HTTP and OpenTelemetry": list(TRACE_REASONS.values()),
}
"""Sentences that the code keeps in tables, by area."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A sentence, with ‹…› for what is filled in."""

    area: str
    sentence: str
    status: int | None = None


@cache
def all_refusals() -> tuple[Refusal, ...]:
    """Return the sentences in the order of the areas, each once."""
    read = [each for module, tree in _trees().items() for each in _refusals_in(module, tree)]
    read += [Refusal(area=area, sentence=text) for area, texts in WORDED.items() for text in texts]
    refusals = {(each.area, each.sentence): each for each in read}
    areas = list(AREAS)
    return tuple(sorted(refusals.values(), key=lambda each: (areas.index(each.area), each.sentence.lower())))


def request_refusals() -> list[tuple[int, str]]:
    """Return the refusals of the HTTP server: status and sentence."""
    return sorted(
        {(each.status, each.sentence) for each in all_refusals() if each.status is not None},
    )


def sentences() -> str:
    """Return a table of the sentences for each area."""
    parts = []
    for area in AREAS:
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
        keyword = REASON_KEYWORDS.get(_name(node))
        arguments = [each.value for each in node.keywords if each.arg == keyword] if keyword else node.args
        texts = [text for argument in arguments if (text := words_of(argument, constants))]
        if texts and len(PLACEHOLDER.sub("", texts[0]).split()) >= MIN_WORDS:
            yield Refusal(area=area_of(module), sentence=texts[0], status=_status(node))


def _is_error(call: ast.Call, module: str) -> bool:
    name = _name(call)
    if name in VALUE_ERRORS:
        return module.startswith(VALUE_ERROR_PLACES)
    return name in error_names() or name in REASON_KEYWORDS


def _name(call: ast.Call) -> str:
    function = call.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _status(call: ast.Call) -> int | None:
    first = call.args[0] if call.args else None
    is_request = _name(call) == RequestError.__name__ and isinstance(first, ast.Constant)
    return int(ast.literal_eval(first)) if is_request and first is not None else None


def area_of(module: str) -> str:
    """Return the area of a module."""
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
    """Return words for what is filled in, by the names in the code."""
    match value:
        case ast.Call(func=ast.Name(id="pluralise"), args=[_, ast.Constant(value=str(noun)), *_]):
            return f"number of {noun.split()[0]}s"
        case ast.Call(func=ast.Name(id="len")):
            return "number"
        case ast.Call(func=ast.Attribute(value=inner, attr="rstrip" | "strip" | "lower")):
            return _placeholder(inner)
        case ast.Call(args=[first, *_]):
            return _placeholder(first)
        case ast.Call(func=ast.Attribute(value=inner)) | ast.Subscript(value=inner) | ast.Await(value=inner):
            return _placeholder(inner)
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
            return name.strip("_").replace("_", " ").lower()
    return "…"


def _constants(tree: ast.Module) -> dict[str, str]:
    """Return the texts that a module's constants hold."""
    constants: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            constants[node.targets[0].id] = words_of(node.value, constants)
    return {name: text for name, text in constants.items() if text}
