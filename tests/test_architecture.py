"""Directions of imports, and the contents of a clean clone."""

import ast
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
TOP_PACKAGES = ("bot", "memalign", "storage")
LOCKS = (
    "requirements-build.lock",
    "requirements.lock",
    "requirements-test.lock",
    "requirements-docs.lock",
    "requirements-minilm.lock",
    "requirements-postgres.lock",
    "requirements-batches.lock",
)


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def tracked_files() -> list[Path]:
    """Return the files of a clone, once today's work is committed."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for name in listing.stdout.splitlines() if (path := ROOT / name).is_file()]


def imported_modules(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def importers_of(distribution: str) -> set[str]:
    """Return our modules, as paths, that import the package or one of its parts."""
    return {
        path.relative_to(ROOT).as_posix()
        for top in TOP_PACKAGES
        for path in (ROOT / top).rglob("*.py")
        if any(
            name == distribution or name.startswith(f"{distribution}.")
            for name in imported_modules(path.read_text(encoding="utf-8"))
        )
    }


def test_imports_go_only_in_the_agreed_directions() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    outcome = subprocess.run([tool, "--no-cache"], cwd=ROOT, check=False, capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.parametrize(
    ("distribution", "modules"),
    [
        ("hnswlib", ["memalign/memory/vector_index.py"]),
        (
            "openai",
            [
                f"memalign/models/{name}.py"
                for name in ("openai", "openai_chat", "openai_client", "litellm_chat")
            ],
        ),
        ("anthropic", [f"memalign/models/{name}.py" for name in ("anthropic", "anthropic_client")]),
        ("tinydb", ["storage/documents.py"]),
        (
            "matplotlib",
            [
                f"bot/charts/{name}.py"
                for name in ("agreement_table", "chart", "drawing", "learning_curve", "score_differences")
            ],
        ),
    ],
)
def test_is_imported_in_modules_of_its_own_only(distribution: str, modules: list[str]) -> None:
    assert importers_of(distribution) == set(modules)


@pytest.mark.parametrize(
    ("distribution", "room"),
    [
        ("sqlite3", "storage"),
        ("slack_bolt", "bot"),
        ("slack_sdk", "bot"),
        ("aiohttp", "bot"),
        ("apscheduler", "bot"),
    ],
)
def test_is_imported_in_one_room_only(distribution: str, room: str) -> None:
    assert {path.split("/")[0] for path in importers_of(distribution)} == {room}


def test_only_the_engines_know_which_engine_there_is() -> None:
    """The rest imports the seam, `storage.engines`; also a module that the contract does not list yet."""
    engines = [path.stem for path in (ROOT / "storage/engines").glob("[!_]*.py")]
    modules = ["sqlite3", "filelock", "psycopg", *(f"storage.engines.{name}" for name in engines)]
    importers = {path for module in modules for path in importers_of(module)}
    assert {path for path in importers if not path.startswith("storage/engines/")} == set()


def test_slacks_own_errors_are_known_at_its_border_alone() -> None:
    outside = {
        path
        for path in importers_of("slack_sdk.errors") | importers_of("aiohttp.ClientError")
        if not path.startswith(("bot/slack/", "bot/sandbox/"))
    }
    assert outside == set()


def test_only_the_command_line_knows_the_sandbox() -> None:
    """It is named there as text, and imported only when the demo is asked for."""
    paths = {
        path.relative_to(ROOT).as_posix()
        for top in TOP_PACKAGES
        for path in (ROOT / top).rglob("*.py")
        if "bot.sandbox" in path.read_text(encoding="utf-8")
    }
    assert {path for path in paths if not path.startswith("bot/sandbox/")} == {"bot/__main__.py"}


def test_every_package_is_listed_and_every_listed_package_exists() -> None:
    existing = {
        path.parent.relative_to(ROOT).as_posix().replace("/", ".")
        for top in TOP_PACKAGES
        for path in (ROOT / top).rglob("__init__.py")
    }
    assert set(pyproject()["tool"]["setuptools"]["packages"]) == existing


def test_every_file_that_is_not_code_is_shipped_with_its_package() -> None:
    patterns: dict[str, list[str]] = pyproject()["tool"]["setuptools"]["package-data"]
    shipped_as = [
        f"{package.replace('.', '/')}/{glob}" for package, globs in patterns.items() for glob in globs
    ]
    names = [path.relative_to(ROOT).as_posix() for path in tracked_files()]
    data = [name for name in names if name.split("/")[0] in TOP_PACKAGES and not name.endswith(".py")]
    assert [name for name in data if not any(fnmatch(name, glob) for glob in shipped_as)] == []


def test_no_file_names_a_registry_host_or_a_path_of_one_machine() -> None:
    hosts = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "conda" + ".anaconda.org"]
    machine_paths = r"(?<![\w./-])/(?:work|root)(?=/)"
    shared_folder = r"\.\./sha" + "red"
    forbidden = re.compile("|".join([*map(re.escape, hosts), machine_paths, shared_folder]))
    matches = {
        path.relative_to(ROOT).as_posix(): match.group()
        for path in tracked_files()
        if (match := forbidden.search(path.read_text(encoding="utf-8", errors="replace")))
    }
    assert matches == {}


def test_no_licence_lies_at_the_top() -> None:
    assert [path.name for path in ROOT.iterdir() if re.match(r"(?i)licen[cs]e|copying", path.name)] == []


def locked(name: str) -> dict[str, str]:
    """Return each pinned package of a lock file with its version."""
    pins = re.findall(r"^([a-z0-9._-]+)==([^ ]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    return dict(pins)


def entries(name: str) -> list[str]:
    """Return each requirement of a lock file with the lines that belong to it."""
    return re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text(encoding="utf-8").strip())


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_everything_with_hashes_and_names_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert [entry for entry in entries(lock) if not re.match(r"\S+==\S+ [\s\S]*--hash=sha256:", entry)] == []
    assert re.findall(r"https?:|index-url|find-links|py" + "pi", text) == []


def test_the_locks_fit_what_pyproject_asks_for() -> None:
    settings = pyproject()
    requirements = {
        "requirements.lock": settings["project"]["dependencies"],
        "requirements-test.lock": [
            *settings["project"]["dependencies"],
            *settings["project"]["optional-dependencies"]["test"],
        ],
        "requirements-docs.lock": settings["dependency-groups"]["docs"],
        "requirements-minilm.lock": settings["project"]["optional-dependencies"]["minilm"],
        "requirements-postgres.lock": settings["project"]["optional-dependencies"]["postgres"],
        "requirements-batches.lock": [
            *settings["project"]["optional-dependencies"]["ray"],
            *settings["project"]["optional-dependencies"]["spark"],
        ],
        "requirements-build.lock": [
            *settings["dependency-groups"]["build"],
            *settings["build-system"]["requires"],
        ],
    }
    unmet = [
        f"{lock}: {text}"
        for lock, texts in requirements.items()
        for text in texts
        if not Requirement(text).specifier.contains(
            locked(lock).get(canonicalize_name(Requirement(text).name), "0"), prereleases=True
        )
    ]
    assert unmet == [], "run `make lock`"


def test_tests_run_on_the_versions_that_are_shipped() -> None:
    test_pins = locked("requirements-test.lock")
    for lock in (each for each in LOCKS if each != "requirements-test.lock"):
        shared = {name: version for name, version in locked(lock).items() if name in test_pins}
        assert shared == {name: test_pins[name] for name in shared}
    assert locked("requirements.lock").keys() <= test_pins.keys()


def test_the_image_holds_every_top_level_package() -> None:
    copied = re.findall(r"^COPY (\w+) \1$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    included = re.findall(r"^!(\w+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(copied) == set(included) == set(TOP_PACKAGES)


@pytest.mark.parametrize("module", ["bot.app", "bot.__main__", "bot.cli.reading", "bot.cli.run"])
def test_neither_the_bot_nor_a_command_without_charts_loads_what_draws_them(module: str) -> None:
    program = f"import sys, {module}; print({{'matplotlib', 'jinja2', 'PIL'}} & {{*map(str, sys.modules)}} or 'none')"
    outcome = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert outcome.stdout.strip() == "none"
