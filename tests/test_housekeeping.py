"""Setting up, on machines made of fake tools: what is told when something lacks, and when .venv is made anew.

The fake Python makes a .venv whose Python records what it is asked to install instead of installing it.
"""

import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHECKOUT_FILES = (
    "Makefile",
    "pyproject.toml",
    "requirements-build.lock",
    "requirements.lock",
    "requirements-test.lock",
    "requirements-docs.lock",
    "scripts/make-venv",
)
UNIX_TOOLS = ("cat", "chmod", "cksum", "cp", "dirname", "grep", "make", "mkdir", "rm", "sed", "sh", "tail")

RECORDING_PYTHON = """\
#!/bin/sh
case "$*" in
    "-m pip install "*)
        [ -n "${FAKE_PIP_SAYS:-}" ] && echo "$FAKE_PIP_SAYS" && exit 1
        echo "$*" >>installed.txt ;;
    *base_prefix*) echo fake ;;
esac
exit 0
"""
# the demo itself, as far as the Makefile is concerned
RECORDING_MEMALIGN = """\
#!/bin/sh
echo "memalign $*"
"""
GOOD_PYTHON = """\
#!/bin/sh
case "$*" in
    *version_info*) echo 3.12.1 ;;
    *get_path*) echo "@include@" ;;
    *base_prefix*) echo fake ;;
    "-m venv .venv")
        mkdir -p .venv/bin
        cp "@parts@/recording-python" .venv/bin/python
        cp "@parts@/recording-memalign" .venv/bin/memalign
        chmod +x .venv/bin/python .venv/bin/memalign ;;
esac
exit 0
"""
GOOD_COMPILER = "#!/bin/sh\nexit 0\n"
BROKEN = "#!/bin/sh\nexit 1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A checkout and a PATH of its own."""

    checkout: Path
    tools: Path

    def has(self, name: str, script: str) -> None:
        tool = self.tools / name
        tool.write_text(script, encoding="utf-8")
        tool.chmod(0o755)

    def lacks(self, name: str) -> None:
        (self.tools / name).unlink()

    def make(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "--no-print-directory", *arguments],
            cwd=self.checkout,
            env={"PATH": str(self.tools)} | environment,
            check=False,
            capture_output=True,
            text=True,
        )

    @property
    def installed(self) -> list[str]:
        """The `pip install` calls so far."""
        record = self.checkout / "installed.txt"
        return record.read_text(encoding="utf-8").splitlines() if record.exists() else []


def tool_path(name: str) -> Path:
    path = shutil.which(name)
    assert path, f"these tests need {name}"
    return Path(path)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with all that is needed: python3.12 with headers, and g++."""
    machine = Machine(checkout=tmp_path / "my checkout", tools=tmp_path / "tools")
    machine.tools.mkdir()
    for name in UNIX_TOOLS:
        (machine.tools / name).symlink_to(tool_path(name))
    for name in CHECKOUT_FILES:
        target = machine.checkout / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "recording-python").write_text(RECORDING_PYTHON, encoding="utf-8")
    (parts / "recording-memalign").write_text(RECORDING_MEMALIGN, encoding="utf-8")
    include = tmp_path / "include"
    include.mkdir()
    (include / "Python.h").touch()
    machine.has("python3.12", GOOD_PYTHON.replace("@include@", str(include)).replace("@parts@", str(parts)))
    machine.has("g++", GOOD_COMPILER)
    return machine


def python_answering(question: str, answer: str) -> str:
    return f'#!/bin/sh\ncase "$*" in\n*{question}*) {answer} ;;\n*version_info*) echo 3.11.9 ;;\nesac\n'


def first_complaint(outcome: subprocess.CompletedProcess[str]) -> str:
    assert outcome.returncode != 0
    return outcome.stderr.splitlines()[0]


def test_without_any_python_says_which_were_looked_for_and_the_remedy(machine: Machine) -> None:
    machine.lacks("python3.12")
    assert first_complaint(machine.make("demo")) == (
        "memalign: Python 3.11 or newer is needed, but no working python3.13 python3.12 python3.11 python3"
        " was found: install Python 3.11 or newer, or call make PYTHON=/path/to/python3."
    )


def test_with_only_an_old_python_names_it_and_its_version(machine: Machine) -> None:
    machine.lacks("python3.12")
    machine.has("python3", "#!/bin/sh\necho 3.9.2\n")
    assert first_complaint(machine.make("test")) == (
        "memalign: Python 3.11 or newer is needed, but only python3 (3.9.2) was found:"
        " install Python 3.11 or newer, or call make PYTHON=/path/to/python3."
    )


def test_a_python_that_is_only_a_dead_shim_is_passed_over(machine: Machine) -> None:
    machine.has("python3.13", BROKEN)
    assert "python3.12 (3.12.1)" in machine.make("demo").stdout


def test_the_python_that_was_asked_for_is_not_replaced_by_another(machine: Machine) -> None:
    outcome = machine.make("demo", "PYTHON=/nowhere/python3")
    assert "no working /nowhere/python3 was found" in first_complaint(outcome)


@pytest.mark.parametrize(
    ("question", "answer", "remedy"),
    [
        ("ensurepip", "exit 1", "apt install python3-venv"),
        ("get_path", "echo /nowhere", "apt install python3-dev"),
    ],
)
def test_a_python_in_parts_is_told_with_the_missing_part(
    machine: Machine, question: str, answer: str, remedy: str
) -> None:
    machine.has("python3.12", python_answering(question, answer))
    complaint = first_complaint(machine.make("demo"))
    assert complaint.startswith("memalign: python3.12 (3.11.9) comes without its ")
    assert remedy in complaint


@pytest.mark.parametrize("broken", [False, True], ids=["missing", "there but not working"])
def test_without_a_compiler_says_how_to_install_one_and_makes_nothing(machine: Machine, broken: bool) -> None:
    machine.lacks("g++")
    if broken:
        machine.has("g++", BROKEN)
    assert first_complaint(machine.make("demo")) == (
        "memalign: no working C++ compiler was found, and hnswlib is compiled: install a C++ compiler"
        " (Debian: apt install build-essential; macOS: xcode-select --install)."
    )
    assert not (machine.checkout / ".venv").exists()


def test_another_compiler_will_do(machine: Machine) -> None:
    machine.lacks("g++")
    machine.has("clang++", GOOD_COMPILER)
    assert machine.make("demo").returncode == 0


@pytest.mark.parametrize(
    ("pip_says", "sentence"),
    [
        ("NewConnectionError: Failed to establish a new connection", "check the network"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "is not the one that was locked"),
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("error: command 'g++' failed", "the installation failed"),
    ],
)
def test_a_failed_installation_is_explained_ahead_of_its_log(
    machine: Machine, pip_says: str, sentence: str
) -> None:
    outcome = machine.make("demo", FAKE_PIP_SAYS=pip_says)
    assert sentence in first_complaint(outcome)
    assert pip_says in outcome.stderr.splitlines()[1:]


def test_the_demo_starts_on_the_chosen_port_after_installing_what_is_locked(machine: Machine) -> None:
    outcome = machine.make("demo", "PORT=8123")
    assert outcome.stdout.splitlines()[-1] == "memalign demo --port 8123"
    assert machine.installed == [
        "-m pip install --require-hashes -r requirements-build.lock",
        "-m pip install --require-hashes --no-build-isolation -r requirements.lock",
        "-m pip install --no-deps --no-build-isolation --editable .",
    ]


def test_a_second_start_installs_nothing(machine: Machine) -> None:
    machine.make("demo")
    assert len(machine.installed) == 3
    assert machine.make("demo").stdout == "memalign demo\n"
    assert len(machine.installed) == 3


def test_a_demo_after_the_tests_keeps_the_test_tools(machine: Machine) -> None:
    machine.make("lint")
    assert len(machine.installed) == 4
    machine.make("demo")
    assert len(machine.installed) == 4


def test_tests_after_a_demo_install_the_test_tools(machine: Machine) -> None:
    machine.make("demo")
    machine.make("lint")
    assert any("requirements-test.lock" in call for call in machine.installed)


def test_a_changed_lock_is_installed_into_the_same_venv(machine: Machine) -> None:
    machine.make("demo")
    mark = machine.checkout / ".venv" / "mark"
    mark.touch()
    first = machine.installed
    (machine.checkout / "requirements.lock").write_text("changed", encoding="utf-8")
    machine.make("demo")
    assert len(first) == 3
    assert machine.installed == first * 2
    assert mark.exists()


def test_a_half_made_venv_is_made_anew(machine: Machine) -> None:
    machine.make("demo", FAKE_PIP_SAYS="interrupted")
    mark = machine.checkout / ".venv" / "mark"
    mark.touch()
    assert machine.make("demo").returncode == 0
    assert not mark.exists()


def test_a_venv_whose_renewal_broke_off_is_made_anew(machine: Machine) -> None:
    machine.make("demo")
    mark = machine.checkout / ".venv" / "mark"
    mark.touch()
    (machine.checkout / "requirements.lock").write_text("changed", encoding="utf-8")
    machine.make("demo", FAKE_PIP_SAYS="interrupted")
    assert mark.exists()
    assert machine.make("demo").returncode == 0
    assert not mark.exists()


def test_a_venv_whose_checkout_was_moved_is_made_anew(machine: Machine) -> None:
    machine.make("demo")
    (machine.checkout / ".venv" / "mark").touch()
    moved = Machine(checkout=machine.checkout.with_name("moved"), tools=machine.tools)
    machine.checkout.rename(moved.checkout)
    assert moved.make("demo").returncode == 0
    assert not (moved.checkout / ".venv" / "mark").exists()


def test_every_failed_check_is_named_at_the_end(machine: Machine) -> None:
    outcome = machine.make("test")
    for check in ("ruff check", "ruff format", "mypy", "lint-imports", "pytest"):
        assert f"== {check}" in outcome.stdout
    assert outcome.returncode != 0
    assert "Failed: ruff check, ruff format, mypy, lint-imports\n" in outcome.stderr


@pytest.mark.parametrize("script", sorted((ROOT / "scripts").iterdir()), ids=lambda script: script.name)
def test_no_script_defines_a_function_twice(script: Path) -> None:
    names = re.findall(r"^(\w+)\(\) *\{", script.read_text(encoding="utf-8"), re.MULTILINE)
    assert names
    assert [name for name, times in Counter(names).items() if times > 1] == []
