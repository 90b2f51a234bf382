"""The words of the code: plain docstrings, and modules named by terms that a newcomer can search for."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("bot", "memalign", "storage")
ALL_CODE = (*PACKAGES, "tests")
RIDDLE = re.compile(r"\s*(What|Whether|How|Who|Whom|Whose|Which|Why|Where|When|That|So)\b")
"""A docstring begins with a noun phrase or an imperative; one that begins like this hides its subject."""
PRIVATE_MODULE_NAME = re.compile(
    r"acts|adoption|answers|apologies|background|bell|bench|cards|catalogue|catchup|choice|control|covering|desk"
    r"|elements|extract|failures|fit|foreign|forgets|forms|grants|inputs|intents|journal|kinship|lines"
    r"|pauses|phrases|portraits|references|rows|saving|scheduler|shapes|steady|study|surfaces|texts|tidings"
    r"|unfinished|weekly|wiping|withdrawals?|wording|\w+_shelf"
)
"""Names of an earlier version that nobody outside it would search for."""


def modules(*packages: str) -> list[Path]:
    return [path for package in packages or PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def docstrings_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of each docstring, including those below constants and fields."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text)), lineno=line):
                yield line, text


@pytest.mark.parametrize("package", ALL_CODE)
def test_no_docstring_is_a_riddle(package: str) -> None:
    riddles = [
        f"{place(path)}:{line}: {text.splitlines()[0]}"
        for path in modules(package)
        for line, text in docstrings_of(path)
        if RIDDLE.match(text)
    ]
    assert riddles == []


def test_no_module_has_a_private_name() -> None:
    names = [place(path) for path in modules() if PRIVATE_MODULE_NAME.fullmatch(path.stem)]
    assert names == []


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for path in modules():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(place(path))
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}
