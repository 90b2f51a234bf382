"""The built site: it fetches nothing from elsewhere, its links and anchors lead somewhere, its pictures have words."""

import posixpath
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from reference import pictures
from tests.docs.conftest import ROOT, Site

FETCHING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "object": "data"}
HARMLESS_RELATIONS = {"canonical", "prev", "next", "author", "license"}
KINDS = ("Tutorials", "How-to", "Reference", "Explanation")


class Elements(HTMLParser):
    """The start tags of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def resources(self) -> Iterator[str]:
        """Yield the address of all that a browser loads by itself."""
        for tag, attributes in self.tags:
            relation = set(attributes.get("rel", "").split())
            if (address := attributes.get(FETCHING.get(tag, ""))) and not relation & HARMLESS_RELATIONS:
                yield address

    def identifiers(self) -> set[str]:
        return {attributes["id"] for _, attributes in self.tags if "id" in attributes}


def test_no_page_loads_anything_from_elsewhere(site: Site) -> None:
    outside = {
        (page, address)
        for page, html in site.pages().items()
        for address in Elements(html).resources()
        if urlsplit(address).scheme not in ("", "data") or address.startswith("//")
    }
    assert outside == set()


def test_no_page_has_what_the_theme_loads_a_script_from_elsewhere_for(site: Site) -> None:
    """Material fetches Mermaid's script where a page has a diagram, whatever its HTML says."""
    assert [page for page, html in site.pages().items() if re.search(r'class="[^"]*\bmermaid\b', html)] == []


def test_no_style_imports_from_elsewhere(site: Site) -> None:
    styles = {path.name: path.read_text(encoding="utf-8") for path in site.folder.rglob("*.css")}
    assert styles
    assert [
        name for name, text in styles.items() if re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", text)
    ] == []


def test_every_link_inside_leads_to_a_page_and_a_place_on_it(site: Site) -> None:
    pages = {page: Elements(html) for page, html in site.pages().items() if page != "404.html"}
    identifiers = {page: elements.identifiers() for page, elements in pages.items()}
    broken = set()
    for page, elements in pages.items():
        for tag, attributes in elements.tags:
            address = urlsplit(attributes.get("href", "")) if tag == "a" else urlsplit("")
            if address.scheme or address.netloc or not (address.path or address.fragment):
                continue
            path = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(address.path)))
            target = page if not address.path else "index.html" if path == "." else path
            is_there = (site.folder / target).is_file()
            names = identifiers.get(target, set())
            if not is_there or (address.fragment and names and unquote(address.fragment) not in names):
                broken.add((page, attributes["href"]))
    assert broken == set()


def test_every_page_is_two_clicks_from_the_home_page(site: Site) -> None:
    """By links in the text: a reader who looks for an answer need not know in which menu it is."""
    pages = site.pages()
    near = {"index.html"}
    for _ in range(2):
        near |= {target for page in near for target in links_in_text(page, pages[page]) if target in pages}
    assert set(pages) - near == {"404.html"}


def links_in_text(page: str, html: str) -> Iterator[str]:
    """Yield the pages that the text of a page leads to."""
    for tag, attributes in Elements(article_of(html)).tags:
        address = urlsplit(attributes.get("href", "")) if tag == "a" else urlsplit("")
        if address.path and not address.scheme:
            yield posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(address.path)))


def test_every_picture_has_words_for_who_does_not_see_it(site: Site) -> None:
    silent = {
        (page, attributes.get("src"))
        for page, html in site.pages().items()
        for tag, attributes in Elements(html).tags
        if tag == "img" and len(attributes.get("alt", "").split()) < 3
    }
    assert silent == set()


def test_the_pages_are_of_four_kinds() -> None:
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    titles = [next(iter(entry)) for entry in navigation if isinstance(entry, dict)]
    assert titles == ["Home", *KINDS]


def test_git_ignores_the_built_site() -> None:
    assert "/site/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("file", ["README.md", "SECURITY.md", "CHANGELOG.md"])
def test_files_at_the_top_are_on_the_site(site: Site, file: str) -> None:
    title = re.match(r"# (.*)", (ROOT / file).read_text(encoding="utf-8"))
    page = site.folder / f"{Path(file).stem.lower()}.html"
    assert title is not None
    assert title[1] in page.read_text(encoding="utf-8")


def test_the_pictures_are_those_that_are_taken_and_all_are_shown_in_both_looks() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md"))
    shown = re.findall(r"!\[[^\]]+\]\((?:\.\./)?pictures/([\w-]+\.png)#only-(light|dark)\)", text)
    taken = {path.name for path in (ROOT / "docs" / "pictures").iterdir()}
    assert {name for name, _ in shown} == set(pictures.files()) == taken
    assert [name for name, look in shown if not name.endswith(f"-{look}.png")] == []


LIST_ITEM = re.compile(r"^(?:<p>)?(?:\d+\. |[-*] ).*$", re.MULTILINE)
"""An item of a list that Markdown left as text, for want of a blank line before it."""


def test_no_item_of_a_list_is_left_as_text(site: Site) -> None:
    assert {
        (page, item) for page, html in site.pages().items() for item in items_left(article_of(html))
    } == set()


@pytest.mark.parametrize("html", ["<p>4. Check, then run:</p>", "<p>words\n- an item</p>", "<p>a\n2. b</p>"])
def test_an_item_that_is_left_as_text_is_found(html: str) -> None:
    assert items_left(html)


def article_of(html: str) -> str:
    return html[html.find("<article") : html.find("</article")]


def items_left(html: str) -> list[str]:
    return LIST_ITEM.findall(re.sub(r"<(pre|code)\b.*?</\1>", "", html, flags=re.DOTALL))
