"""Slack's newer blocks as people see and use them: a real Chromium against the embedded Slack."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, async_playwright, expect
from slack_bolt.async_app import AsyncAck

from bot.sandbox import SlackServer, Workspace
from bot.sandbox.workspace.records import Payload
from tests.sandbox.bolt_app import (
    COMMAND,
    SHORTCUTS,
    Sandbox,
    actions,
    bolt_app,
    button,
    connected,
    modal,
    opened,
    until,
)
from tests.sandbox.browser import CHROMIUM, MISSING, QUIET
from tests.sandbox.newer_blocks import (
    ask,
    axis_chart,
    choices,
    context_actions,
    data_table,
    feedback,
    icon,
    line,
    markdown,
    number,
    number_input,
    pie,
    plain,
    preformatted,
    raw,
    rich_list,
    rich_quote,
    rich_section,
    rich_text,
    rich_text_input,
    series,
    table,
    words,
)

pytestmark = [
    pytest.mark.browser,
    # one loop for all, so that the browser is started once
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
]
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
FINGER = 44  # pixels
DAYS = ("Mon", "Tue", "Wed")
HOSTILE_TEXTS = (
    '<img src=x onerror="document.title=1"> &amp; &lt;b&gt;',
    "*not bold* _nor this_ ~nor that~ `nor code` :tada: <!channel> <@U1> https://a.b #politeness",
    '  {\n\t"a": [1,  2],\n\n  "b": "`>`"\n  }\n',
    "> no quote\n- no list\n1. no list\n# no heading\n```\nno fence\n```",
    "سؤال؟ עברית. \u202eabc\u202c \u200d é",
)
CONTRASTS = """card => {
  const luminance = (color) => {
    const parts = color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
    const [r, g, b] = parts.map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)$|transparent/.test(color)) return color;
    }
  };
  const contrast = (node, property) => {
    const both = [getComputedStyle(node)[property], ground(node.closest("svg")?.parentElement ?? node)];
    const [low, high] = both.map(luminance).sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const hasWords = (node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  const texts = [...card.querySelectorAll(".content :not(title)")].filter(
    (node) => hasWords(node) && node.checkVisibility() && !node.disabled);
  const marks = [...card.querySelectorAll(".plot [class^=fill], .plot .slice, .plot .curve")];
  return [
    ...texts.map((node) => [node.textContent, contrast(node, node.closest("svg") ? "fill" : "color"), 4.5]),
    ...marks.map((node) => [node.outerHTML, contrast(node, node.matches(".curve") ? "stroke" : "fill"), 3]),
  ];
}"""
"""Each text and mark of a card, its contrast, and the least contrast that WCAG 2.2 asks for (1.4.3, 1.4.11)."""

FORM = modal(
    line(words("The judge said "), words("2", bold=True)),
    ask(number_input(min_value="1", max_value="5", initial_value="2"), "Score"),
    ask(choices("radio_buttons", "rude", "neutral", "kind"), "Tone"),
    ask(rich_text_input(initial_value=line(words("curt", bold=True)), focus_on_load=True), "Reason"),
    callback_id="correction",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The workspace, its server, and what reached the bot that is connected to it."""

    sandbox: Sandbox
    bodies: list[Payload] = field(default_factory=list)

    async def post(self, *blocks: Payload) -> str:
        channel = self.sandbox.channel.id
        answer = await self.sandbox.client.chat_postMessage(
            channel=channel, text="a card", blocks=list(blocks)
        )
        return str(answer["ts"])

    def actions(self) -> list[Any]:
        """Return who pressed what, in order: the person, the action, its value."""
        return [
            (body["user"]["id"], body["actions"][0]["action_id"], body["actions"][0].get("value"))
            for body in self.bodies
        ]


@pytest_asyncio.fixture(loop_scope="module")
async def office() -> AsyncIterator[Office]:
    async with opened(SlackServer(Workspace(), commands=[COMMAND], shortcuts=SHORTCUTS)) as sandbox:
        ready = Office(sandbox=sandbox)
        app = bolt_app(sandbox)

        async def collect(ack: AsyncAck, body: Payload) -> None:
            await ack()
            ready.bodies.append(body)

        async def on_open(ack: AsyncAck, body: Payload) -> None:
            await ack()
            await sandbox.client.views_open(trigger_id=body["trigger_id"], view=FORM)

        app.action("verdict")(collect)
        app.action("remove")(collect)
        app.action("go")(on_open)
        app.view("correction")(collect)
        async with connected(sandbox, app):
            yield ready


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(office: Office, browser: Browser) -> AsyncIterator[Page]:
    """The page as Ana; an error in it, or a request to another host, fails the test."""
    page = await browser.new_page(viewport=DESK)  # type: ignore[arg-type]
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: _note_foreign(request.url, office, wrong))
    await arrive(page, office)
    yield page
    await page.close()
    assert wrong == []


def _note_foreign(url: str, office: Office, wrong: list[str]) -> None:
    if not url.startswith((office.sandbox.server.url, "data:")):
        wrong.append(url)


async def arrive(page: Page, office: Office, user: str | None = None) -> None:
    await page.goto(f"{office.sandbox.server.url}/?user={user or office.sandbox.ana.id}")
    await expect(page.get_by_label("Message #politeness")).to_be_visible()


def row(page: Page, ts: str) -> Locator:
    return page.get_by_test_id("channel").locator(f'[data-ts="{ts}"]')


def column(message: Locator, at: int) -> Locator:
    return message.locator(f"tbody tr > :nth-child({at})")


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
async def test_every_run_of_text_is_shown_as_it_is(office: Office, page: Page, text: str) -> None:
    message = row(
        page,
        await office.post(
            rich_text(
                rich_section(words(text)),
                rich_quote(words(text)),
                preformatted(text),
                rich_list("bullet", text),
            ),
            table([raw(text)], [line(words(text))]),
        ),
    )
    await expect(message.locator("pre")).to_be_visible()
    shown = await message.locator(".rich-text > div, blockquote, pre, li, th .textual, td .textual").all()
    assert [await part.evaluate("part => part.textContent") for part in shown] == [text] * 6
    spaces = [await part.evaluate("part => getComputedStyle(part).whiteSpaceCollapse") for part in shown]
    assert set(spaces) == {"preserve"}
    assert await message.locator("img, script, .content a, .content strong, .mention").count() == 0
    assert await page.title() != "1"


async def test_rich_text_has_its_styles(office: Office, page: Page) -> None:
    parts = [words(style, **{style: True}) for style in ("bold", "italic", "strike", "underline", "code")]
    both = words("both", bold=True, italic=True)
    message = row(page, await office.post(line(*parts, both)))
    for tag, text in zip(
        ("strong", "em", "s", "u", "code"), ("bold", "italic", "strike", "underline", "code"), strict=True
    ):
        await expect(message.locator(f".content {tag}", has_text=text).first).to_have_text(text)
    await expect(message.locator("em > strong")).to_have_text("both")


async def test_rich_text_holds_links_mentions_dates_and_colors(office: Office, page: Page) -> None:
    sandbox = office.sandbox
    message = row(
        page,
        await office.post(
            line(
                {"type": "link", "url": "https://example.org/a", "text": "the trace"},
                {"type": "link", "url": "javascript:alert(1)", "text": "no link"},
                {"type": "user", "user_id": sandbox.ben.id},
                {"type": "channel", "channel_id": sandbox.channel.id},
                {"type": "broadcast", "range": "here"},
                {"type": "emoji", "name": "never_heard_of", "unicode": "1f9ff"},
                {"type": "date", "timestamp": 0, "format": "on {date_num}", "fallback": "long ago"},
                {"type": "color", "value": "#F405B3"},
            )
        ),
    )
    await expect(message.get_by_role("link", name="the trace")).to_have_attribute(
        "href", "https://example.org/a"
    )
    await expect(message.get_by_role("link", name="no link")).to_have_count(0)
    for text in ("no link", "@ben", "#politeness", "@here", "\U0001f9ff", "1970", "#F405B3"):
        await expect(message.locator(".content")).to_contain_text(text)


async def test_lists_have_their_numbers_depths_and_borders(office: Office, page: Page) -> None:
    message = row(
        page,
        await office.post(
            rich_text(
                rich_list("ordered", "fourth", offset=3), rich_list("bullet", "deep", indent=1, border=1)
            )
        ),
    )
    await expect(message.locator("ol")).to_have_attribute("start", "4")
    assert (
        await message.locator("blockquote ul").evaluate("list => getComputedStyle(list).listStyleType")
        == "circle"
    )


async def test_addresses_and_channels_become_links_unless_the_text_is_verbatim(
    office: Office, page: Page
) -> None:
    text = "see https://example.org/a in #politeness, *truly*"
    sections = [
        {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": verbatim}}
        for verbatim in (True, False)
    ]
    verbatim, parsed = [row(page, await office.post(section)) for section in sections]
    await expect(parsed.get_by_role("link", name="https://example.org/a")).to_be_visible()
    await expect(parsed.get_by_role("button", name="#politeness")).to_be_visible()
    await expect(verbatim.locator("strong")).to_have_text("truly")
    assert await verbatim.locator(".content a, .content .mention").count() == 0


async def test_plain_text_keeps_its_colons_where_the_app_wants_no_emoji(office: Office, page: Page) -> None:
    texts = [{"type": "section", "text": {**plain("a :tada: b"), "emoji": emoji}} for emoji in (False, True)]
    kept, turned = [row(page, await office.post(text)) for text in texts]
    await expect(kept.locator(".textual")).to_have_text("a :tada: b")
    await expect(turned.locator(".textual")).to_have_text("a 🎉 b")


@pytest.mark.parametrize("way", ["mouse", "Enter", "Space"])
async def test_feedback_reaches_the_bot_and_is_marked_for_that_person(
    office: Office, page: Page, way: str
) -> None:
    ts = await office.post(context_actions(feedback()))
    right = row(page, ts).get_by_role("button", name="The judge is right")
    wrong = row(page, ts).get_by_role("button", name="Wrong")
    if way == "mouse":
        await wrong.click()
    else:
        await wrong.press(way)
    await expect(wrong).to_have_attribute("aria-pressed", "true")
    await expect(right).to_have_attribute("aria-pressed", "false")
    assert office.actions() == [(office.sandbox.ana.id, "verdict", "down")]


async def test_the_other_side_of_feedback_replaces_the_first(office: Office, page: Page) -> None:
    ts = await office.post(context_actions(feedback()))
    sides = [row(page, ts).get_by_role("button", name=name) for name in ("Wrong", "The judge is right")]
    for side in sides:
        await side.click()
        await expect(side).to_have_attribute("aria-pressed", "true")
    await expect(sides[0]).to_have_attribute("aria-pressed", "false")
    assert [value for _, _, value in office.actions()] == ["down", "up"]


async def test_taking_feedback_back_tells_the_bot_nothing(office: Office, page: Page) -> None:
    ts = await office.post(context_actions(feedback()))
    wrong = row(page, ts).get_by_role("button", name="Wrong")
    await wrong.click()
    await expect(wrong).to_have_attribute("aria-pressed", "true")
    await wrong.click()
    await expect(wrong).to_have_attribute("aria-pressed", "false")
    await wrong.click()
    await expect(wrong).to_have_attribute("aria-pressed", "true")
    assert [value for _, _, value in office.actions()] == ["down", "down"]


async def test_feedback_stays_marked_when_its_message_is_drawn_again(office: Office, page: Page) -> None:
    ts = await office.post(context_actions(feedback()))
    wrong = row(page, ts).get_by_role("button", name="Wrong")
    await wrong.click()
    await expect(wrong).to_have_attribute("aria-pressed", "true")
    office.sandbox.workspace.react(office.sandbox.ben.id, office.sandbox.channel.id, ts, "+1")
    await expect(row(page, ts).get_by_test_id("reaction")).to_be_visible()
    await expect(wrong).to_have_attribute("aria-pressed", "true")
    await expect(wrong).to_be_focused()


async def test_an_icon_button_is_named_asks_first_and_tells_the_bot(office: Office, page: Page) -> None:
    confirm = {
        "title": plain("Remove it?"),
        "text": plain("For good."),
        "confirm": plain("Yes"),
        "deny": plain("No"),
    }
    ts = await office.post(context_actions(icon(accessibility_label="Remove this rule", confirm=confirm)))
    trash = row(page, ts).get_by_role("button", name="Remove this rule")
    await expect(trash).to_have_attribute("title", "Remove")
    await trash.press("Enter")
    await page.get_by_role("alertdialog").get_by_role("button", name="No").click()
    await expect(trash).to_be_focused()
    await trash.press("Enter")
    await page.get_by_role("alertdialog").get_by_role("button", name="Yes").click()
    await until(lambda: office.actions() == [(office.sandbox.ana.id, "remove", "r-1")])


async def test_an_icon_button_is_there_for_the_people_it_is_meant_for(office: Office, page: Page) -> None:
    ts = await office.post(context_actions(icon(visible_to_user_ids=[office.sandbox.ben.id]), feedback()))
    await expect(row(page, ts).get_by_role("button", name="Wrong")).to_be_visible()
    await expect(row(page, ts).get_by_role("button", name="Remove")).to_have_count(0)
    await arrive(page, office, office.sandbox.ben.id)
    await expect(row(page, ts).get_by_role("button", name="Remove")).to_be_visible()


async def test_a_table_has_the_settings_of_its_columns(office: Office, page: Page) -> None:
    settings = [{"is_wrapped": True}, {"align": "right"}]
    rows = [[raw("Judge"), raw("n")], [line(words("politeness", bold=True)), number(1234, "1,234")]]
    message = row(page, await office.post(table(*rows, column_settings=settings)))
    await expect(message.get_by_role("columnheader", name="Judge")).to_be_visible()
    figure = message.get_by_role("cell", name="1,234")
    assert await figure.evaluate("cell => getComputedStyle(cell).textAlign") == "right"
    assert await figure.locator(".textual").evaluate("text => getComputedStyle(text).whiteSpace") == "pre"
    await expect(message.locator("td strong")).to_have_text("politeness")


def guidelines(count: int, **more: object) -> Payload:
    """Return a data table whose cases are in no order."""
    rows = ([raw(f"rule {n}"), number(n * 7 % 13), raw(("Ana", "Ben")[n % 2])] for n in range(1, count + 1))
    return data_table([raw("Guideline"), raw("Cases"), raw("Author")], *rows, **more)


async def test_a_data_table_is_read_page_by_page(office: Office, page: Page) -> None:
    message = row(page, await office.post(guidelines(12)))
    await expect(message.get_by_role("table", name="Guidelines")).to_be_visible()
    await expect(message.get_by_role("rowheader")).to_have_count(5)
    await expect(message.get_by_role("status")).to_have_text("1–5 of 12")
    await expect(message.get_by_role("button", name="Previous")).to_be_disabled()
    following = message.get_by_role("button", name="Next")
    await following.press("Enter")
    await following.press("Enter")
    await expect(message.get_by_role("status")).to_have_text("11–12 of 12")
    await expect(column(message, 1)).to_have_text(["rule 11", "rule 12"])
    await expect(following).to_be_disabled()
    assert office.bodies == []


async def test_a_data_table_is_sorted_by_its_heads(office: Office, page: Page) -> None:
    message = row(page, await office.post(guidelines(11, page_size=11)))
    cases = message.get_by_role("columnheader", name="Cases")
    await expect(cases).to_have_attribute("aria-sort", "none")
    await cases.get_by_role("button").press("Enter")
    await expect(cases).to_have_attribute("aria-sort", "ascending")
    await expect(column(message, 2)).to_have_text([str(n) for n in sorted(n * 7 % 13 for n in range(1, 12))])
    await cases.get_by_role("button").press("Enter")
    await expect(cases).to_have_attribute("aria-sort", "descending")
    await message.get_by_role("columnheader", name="Guideline").get_by_role("button").click()
    await expect(column(message, 1)).to_have_text([f"rule {n}" for n in range(1, 12)])
    await expect(cases).to_have_attribute("aria-sort", "none")


async def test_a_third_press_brings_the_rows_back_as_they_were_sent(office: Office, page: Page) -> None:
    message = row(page, await office.post(guidelines(4)))
    for _ in range(3):
        await message.get_by_role("button", name="Cases").click()
    await expect(column(message, 1)).to_have_text([f"rule {n}" for n in range(1, 5)])
    await expect(message.get_by_role("searchbox")).to_have_count(0)


async def test_a_data_table_is_filtered_and_stays_so_when_drawn_again(office: Office, page: Page) -> None:
    ts = await office.post(guidelines(12))
    message = row(page, ts)
    await message.get_by_label("Filter Guidelines").fill("BEN")
    await expect(message.get_by_role("status")).to_have_text("1–5 of 6")
    office.sandbox.workspace.react(office.sandbox.ben.id, office.sandbox.channel.id, ts, "+1")
    await expect(message.get_by_test_id("reaction")).to_be_visible()
    await expect(message.get_by_role("status")).to_have_text("1–5 of 6")
    await expect(message.get_by_label("Filter Guidelines")).to_be_focused()
    await message.get_by_label("Filter Guidelines").fill("nobody")
    await expect(message.get_by_role("status")).to_have_text("No row has that.")


CHARTS: dict[str, tuple[Payload, str, str, int]] = {
    "line": (
        axis_chart("line", DAYS, series("up", DAYS, 1, 2.5, -3), series("down", DAYS, 3, 2, 1)),
        "Line chart, Agreement. up: Mon 1, Tue 2.5, Wed -3. down: Mon 3, Tue 2, Wed 1.",
        ".curve, path[transform]",
        8,
    ),
    "bar": (
        axis_chart("bar", DAYS, series("up", DAYS, 1, 0, -3), x_label="Day", y_label="n"),
        "Bar chart, Agreement. up: Mon 1, Tue 0, Wed -3.",
        "rect",
        3,
    ),
    "area": (
        axis_chart("area", ("Mon",), series("up", ("Mon",), 0)),
        "Area chart, Agreement. up: Mon 0.",
        ".area, .curve",
        2,
    ),
    "pie": (pie(("right", 3), ("wrong", 1)), "Pie chart, Votes. right 3, wrong 1.", ".slice", 2),
    "pie of one": (pie(("right", 3)), "Pie chart, Votes. right 3.", "circle.slice", 1),
}


@pytest.mark.parametrize(("block", "alternative", "marks", "count"), CHARTS.values(), ids=CHARTS)
async def test_a_chart_is_drawn_and_said_in_words(
    office: Office, page: Page, block: Payload, alternative: str, marks: str, count: int
) -> None:
    message = row(page, await office.post(block))
    await expect(message.get_by_role("img", name=alternative)).to_be_visible()
    await expect(message.locator(".plot svg").locator(marks)).to_have_count(count)
    places = await message.locator(".plot svg :not(title)").evaluate_all(
        "parts => parts.map(part => [part.outerHTML, part.getBBox().x, part.getBBox().y])"
    )
    assert "NaN" not in str(places)


async def test_the_data_of_a_chart_are_a_table_that_the_keyboard_opens(office: Office, page: Page) -> None:
    chart = axis_chart("line", DAYS, series("up", DAYS, 1, 2.5, -3), x_label="Day")
    message = row(page, await office.post(chart))
    await expect(message.get_by_role("table")).to_be_hidden()
    await message.locator("summary").press("Enter")
    await expect(message.get_by_role("row")).to_have_text(["Dayup", "Mon1", "Tue2.5", "Wed-3"])


async def test_names_in_a_chart_are_text(office: Office, page: Page) -> None:
    hostile = "<img src=x>&amp;"
    chart = axis_chart(
        "bar", (hostile, ":tada:"), series("<script>", (hostile, ":tada:"), 1, 2), y_label=hostile
    )
    message = row(page, await office.post({**chart, "title": hostile}, pie((hostile, 1))))
    await expect(message.locator("figcaption").first).to_have_text(hostile)
    await expect(message.locator(".plot text.axis")).to_have_text(hostile)
    await expect(message.locator(".legend")).to_contain_text(f"{hostile}: 1 (100 %)")
    assert await message.locator("img, script").count() == 0


async def eventually(page: Page, expression: str) -> None:
    """Wait until an expression holds on the page, whose policy forbids the polling that the browser would do itself."""
    for _ in range(6_000):
        if await page.evaluate(expression):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"never true: {expression}")


async def test_a_chart_is_drawn_anew_for_a_narrower_window(office: Office, page: Page) -> None:
    weeks = tuple(f"2026-11-{day:02} release" for day in range(1, 21))
    ts = await office.post(axis_chart("line", weeks, series("up", weeks, *range(20))))
    drawing = row(page, ts).locator(".plot svg")
    await expect(drawing).to_be_visible()
    wide = await drawing.evaluate("drawing => drawing.clientWidth")
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    await eventually(page, f"document.querySelector('.plot svg').clientWidth < {wide}")
    await eventually(  # it may be drawn more than once while the window shrinks
        page,
        """[...document.querySelectorAll('.plot svg :not(title)')].every((part) => {
            const box = part.getBoundingClientRect(), frame = part.ownerSVGElement.getBoundingClientRect();
            return box.left >= frame.left - 1 && box.right <= frame.right + 1 && box.bottom <= frame.bottom + 1;
        })""",
    )
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


async def test_markdown_is_drawn_and_its_html_stays_text(office: Office, page: Page) -> None:
    text = (
        "# Title\n\nSome **bold** and `a &amp; <b>`.\n\n- one\n  - deep\n\n3. three\n\n> quoted\n\n"
        "```python\nif a < b:\n\tpass\n```\n\n| Judge | n |\n|---|--:|\n| kind | 12 |\n\n"
        "[the trace](https://example.org/a) <img src=x onerror=alert(1)>"
    )
    message = row(page, await office.post(markdown(text)))
    await expect(message.get_by_role("heading", name="Title")).to_have_attribute("aria-level", "3")
    await expect(message.locator("strong")).to_have_text("bold")
    await expect(message.locator("code")).to_have_text("a &amp; <b>")
    assert await message.locator("pre").evaluate("code => code.textContent") == "if a < b:\n\tpass"
    await expect(message.get_by_role("listitem")).to_have_text(["one", "deep", "three"])
    await expect(message.locator("blockquote")).to_have_text("quoted")
    assert await message.get_by_role("cell", name="12").evaluate("cell => cell.style.textAlign") == "right"
    await expect(message.get_by_role("link", name="the trace")).to_be_visible()
    await expect(message.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    assert await message.locator("img").count() == 0


async def open_form(office: Office, page: Page) -> Locator:
    await row(page, await office.post(actions(button("go")))).get_by_role("button", name="Go").click()
    form = page.get_by_role("dialog", name="Why?")
    await expect(form).to_be_visible()
    return form


async def test_a_form_is_filled_in_by_the_keyboard_alone(office: Office, page: Page) -> None:
    form = await open_form(office, page)
    await expect(form.get_by_label("Reason")).to_be_focused()
    await expect(form.get_by_label("Reason")).to_have_value("curt")
    await page.keyboard.press("Shift+Tab")  # into the group of choices, of which none is chosen
    await page.keyboard.press("ArrowUp")
    await expect(form.get_by_label("neutral")).to_be_checked()
    await page.keyboard.press("Shift+Tab")
    await expect(form.get_by_label("Score")).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(form.get_by_label("Score")).to_have_value("3")
    await page.keyboard.press("Enter")
    await until(lambda: office.bodies)
    values = office.bodies[0]["view"]["state"]["values"]
    assert values["score"]["number"]["value"] == "3"
    assert values["tone"]["choice"]["selected_option"]["value"] == "neutral"
    assert values["reason"]["reason"]["rich_text_value"] == line(words("curt", bold=True))


@pytest.mark.parametrize("score", ["0", "6", "2.5"])
async def test_a_number_out_of_range_is_refused_at_its_field(office: Office, page: Page, score: str) -> None:
    form = await open_form(office, page)
    await form.get_by_label("Score").fill(score)
    await form.get_by_label("kind").check()
    await form.get_by_role("button", name="Send").click()
    await expect(form.get_by_text("Please enter a whole number from 1 to 5.")).to_be_visible()
    await expect(form.get_by_label("Score")).to_be_focused()
    await expect(form.get_by_label("Score")).to_have_attribute("aria-invalid", "true")
    assert office.bodies == []


async def test_what_is_typed_as_rich_text_arrives_as_rich_text(office: Office, page: Page) -> None:
    form = await open_form(office, page)
    await form.get_by_label("Reason").fill("*It* is\n\trude :tada:")
    await form.get_by_label("kind").check()
    await form.get_by_role("button", name="Send").click()
    await until(lambda: office.bodies)
    entry = office.bodies[0]["view"]["state"]["values"]["reason"]["reason"]
    assert entry == {"type": "rich_text_input", "rich_text_value": line(words("*It* is\n\trude :tada:"))}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_on_a_phone_all_fits_and_a_finger_meets_every_button(
    office: Office, browser: Browser, scheme: str
) -> None:
    cards = [
        await office.post(rich_text(preformatted("x" * 200)), context_actions(feedback(), icon())),
        await office.post(table([raw("a long name of a column")] * 6), guidelines(12)),
        await office.post(CHARTS["line"][0], CHARTS["pie"][0]),
    ]
    context = await browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, color_scheme=scheme)  # type: ignore[arg-type]
    page = await context.new_page()
    await arrive(page, office)
    for ts in cards:
        card = row(page, ts)
        await card.scroll_into_view_if_needed()
        width = await card.evaluate("card => card.scrollWidth")
        assert width <= PHONE["width"]
        sizes = await card.locator(".content button, summary").evaluate_all(
            "all => all.map((each) => each.getBoundingClientRect().height)"
        )
        assert all(size >= FINGER for size in sizes)
    await row(page, cards[0]).get_by_role("button", name="Wrong").tap()
    await until(lambda: office.actions() == [(office.sandbox.ana.id, "verdict", "down")])
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_word_and_mark_can_be_told_from_its_background(
    office: Office, browser: Browser, scheme: str
) -> None:
    parts = (words("bold", bold=True), words("code", code=True))
    ts = await office.post(
        line(*parts), context_actions(feedback()), guidelines(12), CHARTS["line"][0], CHARTS["pie"][0]
    )
    page = await browser.new_page(viewport=DESK, color_scheme=scheme)  # type: ignore[arg-type]
    await arrive(page, office)
    await expect(row(page, ts).locator(".plot svg")).to_have_count(2)
    contrasts = await row(page, ts).evaluate(CONTRASTS)
    assert [each for each in contrasts if each[1] < each[2]] == []
    await page.close()
