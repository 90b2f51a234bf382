"""Docstrings of the core's public functions, compared with their signatures."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

CORE = Path(__file__).parents[2] / "memalign"
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Documented(NamedTuple):
    """A public function, or a class's constructor, with the docstring that speaks for it."""

    name: str
    node: Function
    docstring: str

    def has(self, section: str) -> bool:
        return re.search(rf"^ *{section}:$", self.docstring, re.MULTILINE) is not None

    @property
    def refers(self) -> bool:
        """True if it leaves all to the function that it implements, or of which it is the twin."""
        return self.docstring.startswith("See `")

    @property
    def parameters(self) -> list[str]:
        arguments = self.node.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        starred = [each for each in (arguments.vararg, arguments.kwarg) if each]
        return [each.arg for each in (*named, *starred) if each.arg not in ("self", "cls")]

    @property
    def returns(self) -> bool:
        returned = self.node.returns
        return not (returned is None or (isinstance(returned, ast.Constant) and returned.value is None))


def public_functions(body: list[ast.stmt], place: str) -> Iterator[Documented]:
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for function in node.body:
                if isinstance(function, Function) and function.name == "__init__":
                    yield Documented(f"{place}.{node.name}", function, ast.get_docstring(node) or "")
            yield from public_functions(node.body, f"{place}.{node.name}")
        elif isinstance(node, Function) and not node.name.startswith("_") and not is_property(node):
            yield Documented(f"{place}.{node.name}", node, ast.get_docstring(node) or "")


def is_property(function: Function) -> bool:
    names = {ast.unparse(decorator) for decorator in function.decorator_list}
    return bool(names & {"property", "cached_property"})


ALL = [
    function
    for path in sorted(CORE.rglob("*.py"))
    for function in public_functions(
        ast.parse(path.read_text(encoding="utf-8")).body,
        path.relative_to(CORE.parent).with_suffix("").as_posix().replace("/", "."),
    )
]


def test_there_is_something_to_look_at() -> None:
    assert {"memalign.optimizer.make_judge", "memalign.ports.Embedder.embed"} <= {each.name for each in ALL}


@pytest.mark.parametrize("function", ALL, ids=lambda each: each.name)
def test_every_parameter_and_what_is_returned_is_documented(function: Documented) -> None:
    if function.refers:
        return
    args = function.docstring.partition("Args:\n")[2]
    missing = [name for name in function.parameters if not re.search(rf"^ *{name}: \S", args, re.MULTILINE)]
    assert missing == [], f"{function.name} has parameters that its docstring does not name"
    if function.returns and function.node.name != "__init__":
        assert function.has("Returns") or function.has("Yields"), (
            f"{function.name} does not say what it returns"
        )


@pytest.mark.parametrize("function", ALL, ids=lambda each: each.name)
def test_no_documented_parameter_is_gone(function: Documented) -> None:
    args = re.split(r"\n *(?:Returns|Raises|Yields):\n", function.docstring.partition("Args:\n")[2])[0]
    entries = re.findall(r"^( *)(\w+): \S", args, re.MULTILINE)
    indent = min((len(blanks) for blanks, _ in entries), default=0)
    named = {name for blanks, name in entries if len(blanks) == indent}
    assert named <= set(function.parameters), f"{function.name} documents what it does not take"


@pytest.mark.parametrize("function", ALL, ids=lambda each: each.name)
def test_every_error_that_a_function_raises_itself_is_documented(function: Documented) -> None:
    if function.refers or function.node.name == "__init__":
        return
    raised = {
        node.exc.func.id
        for node in ast.walk(function.node)
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and isinstance(node.exc.func, ast.Name)
    } - {"AssertionError"}
    documented = function.docstring.partition("Raises:\n")[2]
    assert {name for name in raised if name[:1].isupper() and f"{name}: " not in documented} == set()


@pytest.mark.parametrize("function", ALL, ids=lambda each: each.name)
def test_no_docstring_is_a_riddle(function: Documented) -> None:
    first = function.docstring.split(maxsplit=1)[0] if function.docstring else ""
    assert first not in {"What", "Whether", "How", "Who", "So", "That", "Which"}
