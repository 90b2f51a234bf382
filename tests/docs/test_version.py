"""The version has one place, and the changelog the order of Keep a Changelog."""

import re
import tomllib
from importlib.metadata import version

import pytest

from bot.__main__ import main
from tests.docs.conftest import ROOT

SECTIONS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def test_the_newest_heading_of_the_changelog_is_the_version() -> None:
    newest = re.findall(r"^## (\S+)", CHANGELOG, re.MULTILINE)[0]
    assert newest == VERSION


def test_each_version_has_each_section_once_and_in_order() -> None:
    _, *versions = re.split(r"^## ", CHANGELOG, flags=re.MULTILINE)
    for text in versions:
        sections = re.findall(r"^### (\w+)", text, re.MULTILINE)
        assert sections == sorted(set(sections), key=SECTIONS.index)


def test_the_command_prints_the_version_of_the_installed_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"memalign {version('memalign')}\n"
