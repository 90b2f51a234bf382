"""Hooks of MkDocs: they fill in what is made from the code, and add files of the repository outside docs/."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from reference import (
    commands,
    environment,
    file_formats,
    http,
    metrics,
    python_api,
    refusals,
    settings,
    slack,
)
from reference.layers import draw_layers
from reference.repository_links import SITE_FILES, with_site_links

ROOT = Path(__file__).parents[1]
PARTS: Mapping[str, Callable[[], str]] = {
    "settings": settings.sections,
    "variables of the bot": environment.bot_variables,
    "variables of models": environment.model_variables,
    "commands": commands.descriptions,
    "slash commands": slack.slash_command_table,
    "message menu": slack.message_menu,
    "scopes and events": slack.scopes_and_events,
    "HTTP calls": http.public_calls,
    "calls on this machine": http.local_calls,
    "refusals of HTTP": http.refusals,
    "metrics": metrics.metric_table,
    "fields of a trace": file_formats.trace_fields,
    "fields of feedback": file_formats.feedback_fields,
    "errors": refusals.sentences,
    "public names": python_api.directives,
}
"""Parts of pages that are made from the code, by the name in their comment."""
PART = re.compile(r"<!-- made from the code: (?P<name>[^>]+) -->")
SOURCES = {place: source for source, place in SITE_FILES.items()}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what does not lie in docs/."""
    for source, place in SITE_FILES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in the parts, lead links into the repository to the site, and draw the layers of the architecture."""
    del config, files
    place = page.file.src_uri
    return with_site_links(filled(draw_layers(markdown)), SOURCES.get(place, f"docs/{place}"), place)


def filled(markdown: str) -> str:
    """Return a page with its parts filled in."""
    return PART.sub(lambda part: PARTS[part["name"]](), markdown)
