"""Docstrings of the core's public functions, compared with their signatures."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

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


def undocumented_parameters(function: Documented) -> list[str]:
    args = function.docstring.partition("Args:\n")[2]
    return [name for name in function.parameters if not re.search(rf"^ *{name}: \S", args, re.MULTILINE)]


def surplus_parameters(function: Documented) -> list[str]:
    args = re.split(r"\n *(?:Returns|Raises|Yields):\n", function.docstring.partition("Args:\n")[2])[0]
    entries = re.findall(r"^( *)(\w+): \S", args, re.MULTILINE)
    indent = min((len(blanks) for blanks, _ in entries), default=0)
    names = {name for blanks, name in entries if len(blanks) == indent}
    return sorted(names - set(function.parameters))


def undocumented_errors(function: Documented) -> list[str]:
    """Return the errors that the function raises by name itself."""
    raised = {
        node.exc.func.id
        for node in ast.walk(function.node)
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and isinstance(node.exc.func, ast.Name)
    } - {"AssertionError"}
    documented = function.docstring.partition("Raises:\n")[2]
    return sorted(name for name in raised if name[:1].isupper() and f"{name}: " not in documented)


def test_the_front_door_and_the_ports_are_among_the_functions_looked_at() -> None:
    assert {"memalign.optimizer.make_judge", "memalign.ports.Embedder.embed"} <= {each.name for each in ALL}


def test_every_parameter_is_documented() -> None:
    missing = {each.name: undocumented_parameters(each) for each in ALL if not each.refers}
    assert {name: parameters for name, parameters in missing.items() if parameters} == {}


def test_no_documented_parameter_is_gone() -> None:
    surplus = {each.name: surplus_parameters(each) for each in ALL}
    assert {name: parameters for name, parameters in surplus.items() if parameters} == {}


def test_every_result_is_documented() -> None:
    functions = [each for each in ALL if each.returns and not each.refers and each.node.name != "__init__"]
    assert [each.name for each in functions if not (each.has("Returns") or each.has("Yields"))] == []


def test_every_error_that_a_function_raises_itself_is_documented() -> None:
    functions = [each for each in ALL if not each.refers and each.node.name != "__init__"]
    missing = {each.name: undocumented_errors(each) for each in functions}
    assert {name: errors for name, errors in missing.items() if errors} == {}


def test_no_docstring_begins_with_a_question_word() -> None:
    words = {"What", "Whether", "How", "Who", "So", "That", "Which"}
    assert [each.name for each in ALL if each.docstring.split(maxsplit=1)[:1][0] in words] == []
