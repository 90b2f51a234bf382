"""The page as people use it: a real Chromium against the embedded Slack, with a small bot behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, async_playwright, expect
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Channel, Message, SlackServer, User, Workspace
from tests.sandbox.bolt_app import COMMAND, SHORTCUTS, Sandbox, bolt_app, connected, opened
from tests.sandbox.browser import CHROMIUM, MISSING, QUIET

pytestmark = [
    pytest.mark.browser,
    # one loop for all, so that the browser is started once
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
]
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
HOSTILE = '<img src=x onerror="document.title=1">'

Block = dict[str, Any]


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def press(action_id: str, text: str, **more: object) -> Block:
    return {"type": "button", "action_id": action_id, "text": plain(text), "value": "v-1", **more}


def card(words: str = "*Kind*, says the judge.") -> list[Block]:
    return [
        {"type": "header", "text": plain("politeness: pass :white_check_mark:")},
        {"type": "section", "text": {"type": "mrkdwn", "text": words}},
        {"type": "section", "text": plain(HOSTILE)},
        {
            "type": "actions",
            "elements": [
                press("agree", "Right"),
                press("correct", "Correct it"),
                press(
                    "drop",
                    "Forget",
                    style="danger",
                    confirm={
                        "title": plain("Forget this?"),
                        "text": plain("It cannot be brought back."),
                        "confirm": plain("Yes, forget"),
                        "deny": plain("Keep"),
                    },
                ),
            ],
        },
        {"type": "table", "rows": [[cell("judge"), cell("n")], [cell("politeness"), cell("12")]]},
    ]


def cell(text: str) -> Block:
    return {"type": "raw_text", "text": text}


def form() -> Block:
    return {
        "type": "modal",
        "callback_id": "correction",
        "title": plain("Correct this verdict"),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "blocks": [
            {
                "type": "input",
                "block_id": "why",
                "label": plain("Why?"),
                "element": {"type": "plain_text_input", "action_id": "why", "multiline": True},
            },
            {
                "type": "input",
                "block_id": "value",
                "optional": True,
                "label": plain("Right value"),
                "element": {
                    "type": "static_select",
                    "action_id": "value",
                    "options": [{"text": plain(f"{n} of 5"), "value": str(n)} for n in range(1, 6)],
                },
            },
        ],
    }


@dataclass(kw_only=True)
class Bot:
    """A bot that answers everything the page can do, and writes down what reached it."""

    client: AsyncWebClient
    recorded: list[tuple[str, object]] = field(default_factory=list)

    def listen(self, app: AsyncApp) -> None:
        app.command("/memalign")(self.on_command)
        app.action("agree")(self.on_agree)
        app.action("drop")(self.on_agree)
        app.action("understood")(self.on_understood)
        app.action("correct")(self.on_correct)
        app.shortcut("correct")(self.on_correct)
        app.view("correction")(self.on_submit)
        app.event("app_home_opened")(self.on_home)
        for event in ("message", "reaction_added", "reaction_removed"):
            app.event(event)(self.on_event)

    async def on_event(self, event: Block) -> None:
        self.recorded.append((event["type"], event))

    async def on_command(self, ack: AsyncAck, respond: AsyncRespond, command: Block) -> None:
        await ack()
        self.recorded.append(("command", command["text"]))
        blocks = [{"type": "actions", "elements": [press("understood", "Understood")]}]
        await respond(
            text="Two guidelines", blocks=[{"type": "section", "text": plain("Two guidelines")}, *blocks]
        )

    async def on_understood(self, ack: AsyncAck, respond: AsyncRespond) -> None:
        await ack()
        await respond(text="Good.", replace_original=True)

    async def on_agree(self, ack: AsyncAck, action: Block, body: Block) -> None:
        await ack()
        self.recorded.append((action["action_id"], body["user"]["id"]))

    async def on_correct(self, ack: AsyncAck, body: Block) -> None:
        await ack()
        await self.client.views_open(trigger_id=body["trigger_id"], view=form())

    async def on_submit(self, ack: AsyncAck, view: Block) -> None:
        values = view["state"]["values"]
        if values["why"]["why"]["value"] == "because":
            await ack(response_action="errors", errors={"why": "Say a little more."})
            return
        self.recorded.append(
            ("correction", (values["why"]["why"]["value"], values["value"]["value"]["selected_option"]))
        )
        await ack()

    async def on_home(self, event: Block) -> None:
        blocks = [{"type": "section", "text": plain(f"Welcome {event['user']}")}]
        await self.client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The workspace with ana and ben, its server, the bot connected to it, what the demo was asked for."""

    sandbox: Sandbox
    bot: Bot
    asked: list[str]

    @property
    def workspace(self) -> Workspace:
        return self.sandbox.workspace

    @property
    def server(self) -> SlackServer:
        return self.sandbox.server

    @property
    def ana(self) -> User:
        return self.sandbox.ana

    @property
    def ben(self) -> User:
        return self.sandbox.ben

    @property
    def channel(self) -> Channel:
        return self.sandbox.channel

    async def show(self, blocks: list[Block] | None = None, text: str = "A verdict", **more: Any) -> str:
        """Post as the bot; returns the message's ts."""
        answer = await self.bot.client.chat_postMessage(
            channel=self.channel.id, text=text, blocks=blocks if blocks is not None else card(), **more
        )
        return str(answer["ts"])

    def message(self, ts: str) -> Message:
        return next(message for message in self.workspace.messages(self.channel.id) if message.ts == ts)

    def people(self, ts: str) -> dict[str, tuple[str, ...]]:
        """Return the reactions under a message, each with its users."""
        return {reaction.name: tuple(reaction.users) for reaction in self.message(ts).reactions}

    def texts(self) -> list[str]:
        return [message.text for message in self.workspace.messages(self.channel.id)]


async def until(true: Callable[[], bool], what: str) -> None:
    """Wait for what reaches the server a moment after the click."""
    for _ in range(6_000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"never happened: {what}")


@pytest_asyncio.fixture(loop_scope="module")
async def office() -> AsyncIterator[Office]:
    asked: list[str] = []

    async def on_demo(name: str) -> None:
        asked.append(name)

    server = SlackServer(Workspace(), commands=[COMMAND], shortcuts=SHORTCUTS, on_demo=on_demo)
    async with opened(server) as sandbox:
        app = bolt_app(sandbox)
        bot = Bot(client=sandbox.client)
        bot.listen(app)
        async with connected(sandbox, app):
            yield Office(sandbox=sandbox, bot=bot, asked=asked)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(office: Office, browser: Browser) -> AsyncIterator[Page]:
    """The page as Ana, whose errors fail the test."""
    page = await browser.new_page(viewport=DESK)  # type: ignore[arg-type]
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    await arrive(page, office, office.ana)
    yield page
    await page.close()
    assert wrong == []


async def arrive(page: Page, office: Office, user: User) -> None:
    await page.goto(f"{office.server.url}/?user={user.id}")
    await expect(composer(page)).to_be_visible()


def composer(page: Page) -> Locator:
    return page.get_by_label("Message #politeness")


def row(page: Page, ts: str, pane: str = "channel") -> Locator:
    return page.get_by_test_id(pane).locator(f'[data-ts="{ts}"]')


async def tool(message: Locator, label: str) -> None:
    """Press a button of the bar that appears over a message."""
    await message.hover()
    await message.get_by_label(label).click()


async def say(page: Page, text: str) -> None:
    await composer(page).fill(text)
    await composer(page).press("Enter")


async def test_a_card_is_drawn_from_its_blocks_and_its_text_stays_text(office: Office, page: Page) -> None:
    words = "*Kind*, _mostly_ &lt;b&gt; <https://example.org/a|the trace> `x` :tada: <javascript:alert(1)|no>"
    message = row(page, await office.show(card(words)))
    await expect(message.get_by_role("heading", name="politeness: pass ✅")).to_be_visible()
    await expect(message.locator("strong", has_text="Kind")).to_be_visible()
    await expect(message.get_by_role("link", name="the trace")).to_have_attribute(
        "href", "https://example.org/a"
    )
    await expect(message.get_by_role("link", name="no")).to_have_count(0)
    await expect(message.get_by_text("mostly <b>")).to_be_visible()
    await expect(message.get_by_text(HOSTILE)).to_be_visible()
    await expect(message.locator("img")).to_have_count(0)
    await expect(message.get_by_role("cell", name="politeness")).to_be_visible()
    await expect(message.get_by_text("APP")).to_be_visible()


async def test_a_button_of_a_card_reaches_the_bot_as_the_person_who_pressed_it(
    office: Office, page: Page
) -> None:
    await row(page, await office.show()).get_by_role("button", name="Right").click()
    await until(lambda: ("agree", office.ana.id) in office.bot.recorded, "the press")


async def test_a_button_that_asks_first_does_nothing_when_the_answer_is_no(
    office: Office, page: Page
) -> None:
    message = row(page, await office.show())
    await message.get_by_role("button", name="Forget").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Keep").click()
    await message.get_by_role("button", name="Right").click()
    await until(lambda: ("agree", office.ana.id) in office.bot.recorded, "the second press")
    assert ("drop", office.ana.id) not in office.bot.recorded
    await message.get_by_role("button", name="Forget").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Yes, forget").click()
    await until(lambda: ("drop", office.ana.id) in office.bot.recorded, "the confirmed press")


async def test_a_thumb_from_the_bar_is_taken_back_by_its_pill(office: Office, page: Page) -> None:
    ts = await office.show()
    message = row(page, ts)
    await tool(message, "React with 👍")
    pill = message.get_by_test_id("reaction")
    await expect(pill).to_have_attribute("aria-pressed", "true")
    assert office.people(ts) == {"+1": (office.ana.id,)}
    await pill.click()
    await expect(pill).to_have_count(0)
    assert office.people(ts) == {}


async def test_a_thumb_can_have_a_skin_tone(office: Office, page: Page) -> None:
    ts = await office.show()
    await tool(row(page, ts), "Add reaction")
    picker = page.get_by_test_id("emoji-picker")
    await picker.get_by_label("Skin tone 4").click()
    await picker.get_by_label("Search emoji").fill("thumbsdown")
    await picker.get_by_label("Emoji :-1::skin-tone-4:").click()
    await expect(row(page, ts).get_by_test_id("reaction")).to_contain_text("👎🏽")
    assert office.people(ts) == {"-1::skin-tone-4": (office.ana.id,)}


async def test_a_pill_shows_what_others_did(office: Office, page: Page) -> None:
    ts = await office.show()
    office.workspace.react(office.ben.id, office.channel.id, ts, "thumbsup")
    await expect(row(page, ts).get_by_label("👍 1: ben")).to_have_attribute("aria-pressed", "false")


async def test_a_reply_goes_to_the_thread_and_is_counted_under_its_parent(office: Office, page: Page) -> None:
    ts = await office.show()
    await tool(row(page, ts), "Reply in thread")
    reply = page.get_by_label("Reply", exact=True)
    await expect(reply).to_be_focused()
    await reply.fill("curt & cold")
    await reply.press("Enter")
    await expect(page.get_by_test_id("thread").get_by_text("curt & cold")).to_be_visible()
    await expect(row(page, ts).get_by_role("button", name="1 reply")).to_be_visible()
    assert [message.text for message in office.workspace.thread(office.channel.id, ts)][1:] == [
        "curt &amp; cold"
    ]
    await reply.press("Escape")
    await expect(page.get_by_test_id("thread")).to_be_hidden()
    await expect(row(page, ts)).to_be_focused()


async def test_ones_own_message_is_edited_in_place(office: Office, page: Page) -> None:
    await say(page, "@ben it is <kind>")
    first = f"<@{office.ben.id}> it is &lt;kind&gt;"
    await until(lambda: first in office.texts(), "the message")
    await expect(page.get_by_text("@ben it is <kind>")).to_be_visible()
    await composer(page).press("ArrowUp")
    editor = page.get_by_label("Edit message")
    await expect(editor).to_have_value("@ben it is <kind>")
    await editor.fill("@ben it is curt")
    await editor.press("Enter")
    await expect(page.get_by_text("(edited)")).to_be_visible()
    assert office.texts() == [f"<@{office.ben.id}> it is curt"]


async def test_leaving_an_edit_with_escape_changes_nothing(office: Office, page: Page) -> None:
    await say(page, "as it was")
    await expect(page.get_by_test_id("message")).to_have_count(1)
    await composer(page).press("ArrowUp")
    await page.get_by_label("Edit message").fill("not this")
    await page.get_by_label("Edit message").press("Escape")
    await expect(page.get_by_test_id("message")).to_contain_text("as it was")
    assert office.texts() == ["as it was"]


async def test_ones_own_message_is_deleted_after_a_question(office: Office, page: Page) -> None:
    ts = office.workspace.post(office.ana.id, office.channel.id, "a slip")
    await tool(row(page, ts), "More actions")
    await page.get_by_role("menuitem", name="Delete message").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await expect(row(page, ts)).to_have_count(0)
    assert office.texts() == []


async def test_nobody_is_offered_to_change_what_others_said(office: Office, page: Page) -> None:
    ts = office.workspace.post(office.ben.id, office.channel.id, "mine")
    await tool(row(page, ts), "More actions")
    await expect(page.get_by_role("menuitem", name="Copy link")).to_be_visible()
    await expect(page.get_by_role("menuitem", name="Edit message")).to_have_count(0)
    await expect(page.get_by_role("menuitem", name="Delete message")).to_have_count(0)


async def test_the_link_of_a_message_is_a_permalink_and_leads_back_to_it(office: Office, page: Page) -> None:
    ts = await office.show()
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await tool(row(page, ts), "More actions")
    await page.get_by_role("menuitem", name="Copy link").click()
    link = f"https://demo.slack.com/archives/{office.channel.id}/p{ts.replace('.', '')}"
    await expect(page.get_by_test_id("toast")).to_contain_text(link)
    assert await page.evaluate("navigator.clipboard.readText()") == link
    await say(page, link)
    await page.get_by_role("link", name=link).click()
    await expect(row(page, ts)).to_be_focused()
    assert page.context.pages == [page]


async def test_a_command_is_completed_and_answered_only_to_its_person(
    office: Office, page: Page, browser: Browser
) -> None:
    ben = await browser.new_page()
    await arrive(ben, office, office.ben)
    await composer(page).press_sequentially("/mem")
    await expect(page.get_by_role("option", name="/memalign")).to_have_attribute("aria-selected", "true")
    await composer(page).press("Tab")
    await composer(page).press_sequentially("guidelines politeness")
    await composer(page).press("Enter")
    answer = page.get_by_test_id("message").filter(has_text="Only visible to you")
    await expect(answer).to_contain_text("Two guidelines")
    assert ("command", "guidelines politeness") in office.bot.recorded
    await expect(ben.get_by_test_id("message")).to_have_count(0)
    await answer.get_by_role("button", name="Understood").click()
    await expect(answer).to_contain_text("Good.")
    await answer.get_by_role("button", name="Dismiss").click()
    await expect(page.get_by_test_id("message")).to_have_count(0)


async def test_an_unknown_command_is_told_and_stays_in_the_box(office: Office, page: Page) -> None:
    await say(page, "/nonsense now")
    await expect(page.get_by_test_id("toast")).to_contain_text("/nonsense")
    await expect(composer(page)).to_have_value("/nonsense now")
    assert office.bot.recorded == []


async def test_a_modal_tells_beside_the_field_what_is_wrong_until_it_is_right(
    office: Office, page: Page
) -> None:
    opener = row(page, await office.show()).get_by_role("button", name="Correct it")
    await opener.click()
    modal = page.get_by_role("dialog", name="Correct this verdict")
    why = modal.get_by_label("Why?")
    await expect(why).to_be_focused()
    await modal.get_by_role("button", name="Save").click()
    await expect(modal.get_by_role("alert")).to_have_text("Please complete this required field.")
    await why.fill("because")
    await modal.get_by_role("button", name="Save").click()
    await expect(modal.get_by_role("alert")).to_have_text("Say a little more.")
    await expect(why).to_have_attribute("aria-invalid", "true")
    await expect(why).to_have_value("because")
    await why.fill("it is curt")
    await modal.get_by_label("Right value").select_option("4")
    await modal.get_by_role("button", name="Save").click()
    await expect(modal).to_have_count(0)
    await expect(opener).to_be_focused()
    [correction] = [what for kind, what in office.bot.recorded if kind == "correction"]
    assert correction == ("it is curt", {"text": {**plain("4 of 5"), "emoji": True}, "value": "4"})


async def test_a_message_shortcut_is_in_the_menu_of_the_message(office: Office, page: Page) -> None:
    await tool(row(page, await office.show()), "More actions")
    await page.get_by_role("menuitem", name="Correct this verdict").click()
    await expect(page.get_by_role("dialog", name="Correct this verdict")).to_be_visible()


async def test_a_modal_keeps_the_keyboard_inside_and_gives_it_back_though_the_card_changed_meanwhile(
    office: Office, page: Page
) -> None:
    ts = await office.show()
    opener = row(page, ts).get_by_role("button", name="Correct it")
    await opener.focus()
    await page.keyboard.press("Enter")
    modal = page.get_by_role("dialog", name="Correct this verdict")
    await expect(modal.get_by_label("Why?")).to_be_focused()
    for _ in range(7):
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.closest('dialog') !== null")
    office.workspace.react(office.ben.id, office.channel.id, ts, "+1")
    await expect(row(page, ts).get_by_test_id("reaction")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(modal).to_have_count(0)
    await expect(opener).to_be_focused()
    assert office.server.views(office.ana.id) == []


async def test_one_switches_to_another_person(office: Office, page: Page) -> None:
    ts = await office.show()
    await tool(row(page, ts), "React with 👎")
    await expect(row(page, ts).get_by_test_id("reaction")).to_have_attribute("aria-pressed", "true")
    await page.get_by_label("Who am I").select_option(label="ben")
    await expect(row(page, ts).get_by_test_id("reaction")).to_have_attribute("aria-pressed", "false")
    await tool(row(page, ts), "React with 👎")
    await expect(row(page, ts).get_by_test_id("reaction")).to_have_attribute("aria-pressed", "true")
    assert office.people(ts) == {"-1": (office.ana.id, office.ben.id)}


async def test_the_home_tab_shows_what_the_bot_published_for_this_person(office: Office, page: Page) -> None:
    await page.get_by_test_id("sidebar").get_by_role("button", name="memalign").click()
    await expect(page.get_by_test_id("home")).to_contain_text(f"Welcome {office.ana.id}")
    await expect(composer(page)).to_be_hidden()


async def test_a_change_draws_its_own_message_again_and_no_other(office: Office, page: Page) -> None:
    rows = [await office.show() for _ in range(3)]
    await expect(row(page, rows[-1])).to_be_visible()
    await page.evaluate("document.querySelectorAll('.message').forEach((row) => { row.seen = true; })")
    office.workspace.react(office.ben.id, office.channel.id, rows[1], "+1")
    await expect(row(page, rows[1]).get_by_test_id("reaction")).to_be_visible()
    seen = await page.evaluate("[...document.querySelectorAll('.message')].map((row) => row.seen === true)")
    assert seen == [True, False, True]


async def test_news_do_not_move_a_reader_who_scrolled_up(office: Office, page: Page) -> None:
    rows = [await office.show() for _ in range(6)]
    await expect(row(page, rows[-1])).to_be_in_viewport()
    await row(page, rows[0]).scroll_into_view_if_needed()
    await expect(row(page, rows[-1])).not_to_be_in_viewport()
    newest = await office.show()
    await page.get_by_role("button", name="New messages").click()
    await expect(row(page, newest).get_by_role("button", name="Right")).to_be_in_viewport()


async def test_the_keyboard_alone_reacts_replies_and_switches_channel(office: Office, page: Page) -> None:
    office.workspace.add_channel("grounding", members=[office.ana.id])
    ts = await office.show()
    await row(page, ts).focus()
    await page.keyboard.press("Tab")
    for _ in range(3):
        await page.keyboard.press("Tab")
    await expect(row(page, ts).get_by_label("React with 👍")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(row(page, ts).get_by_test_id("reaction")).to_have_attribute("aria-pressed", "true")
    await row(page, ts).focus()
    await page.keyboard.press("t")
    await page.keyboard.type("clear enough")
    await page.keyboard.press("Enter")
    await expect(row(page, ts).get_by_role("button", name="1 reply")).to_be_visible()
    await page.keyboard.press("Control+k")
    await page.keyboard.type("ground")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Message #grounding")).to_be_visible()


async def test_the_demo_bar_shows_figures_and_starts_the_recorded_people(office: Office, page: Page) -> None:
    await expect(page.get_by_test_id("demo")).to_be_hidden()
    replay = {
        "label": "Let the recorded people answer",
        "name": "replay",
        "running": False,
        "done": 0,
        "total": 40,
    }
    meters = [{"label": "Agreement", "value": "62 %", "hint": "judge with people"}]
    table = {
        "title": "Before and after",
        "columns": ["judge", "kappa"],
        "rows": [["<i>", ".61"]],
        "note": "Held out.",
    }
    office.server.set_demo({"title": "memalign demo", "replay": replay, "meters": meters, "table": table})
    await expect(page.get_by_test_id("meter")).to_contain_text("62 %")
    await expect(page.get_by_role("cell", name="<i>")).to_be_visible()
    await page.get_by_role("button", name="Close the table").click()
    await expect(page.get_by_test_id("demo-table")).to_have_count(0)
    await page.get_by_role("button", name="Let the recorded people answer").click()
    await until(lambda: office.asked == ["replay"], "the replay")
    running = {**replay, "running": True, "done": 10}
    office.server.set_demo({"title": "memalign demo", "replay": running, "meters": meters, "table": table})
    await expect(page.get_by_role("progressbar")).to_have_attribute("value", "10")
    await expect(page.get_by_test_id("replay-progress")).to_contain_text("10 of 40")


async def test_a_lost_connection_is_told_and_made_up_for(office: Office, page: Page) -> None:
    await office.server.stop()
    await expect(page.get_by_test_id("banner")).to_be_visible()
    office.workspace.post(office.ben.id, office.channel.id, "said meanwhile")
    await office.server.start()
    await expect(page.get_by_text("said meanwhile")).to_be_visible()
    await expect(page.get_by_test_id("banner")).to_be_hidden()


async def test_on_a_phone_the_sidebar_is_a_drawer_and_the_thread_takes_the_screen(
    office: Office, browser: Browser
) -> None:
    ts = await office.show()
    page = await browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    await arrive(page, office, office.ana)
    await expect(page.get_by_label("Who am I")).to_be_hidden()
    await page.get_by_role("button", name="Open the sidebar").click()
    await expect(page.get_by_label("Who am I")).to_be_visible()
    await page.get_by_test_id("sidebar").get_by_role("button", name="politeness").click()
    await expect(page.get_by_label("Who am I")).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await tool(row(page, ts), "Reply in thread")
    thread = await page.get_by_test_id("thread").bounding_box()
    assert thread is not None
    assert thread["width"] == PHONE["width"]
    await page.get_by_role("button", name="Close thread").click()
    await expect(composer(page)).to_be_visible()


COVERED = """() => {
  const overlap = (a, b) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const rectsOf = (each) => {
    const range = document.createRange();
    range.selectNodeContents(each);
    return each.matches('.textual') ? [...range.getClientRects()] : [each.getBoundingClientRect()];
  };
  const bars = [...document.querySelectorAll('.toolbar')]
    .filter((bar) => bar.checkVisibility() && getComputedStyle(bar).opacity === '1');
  const covered = (bar) => [...bar.closest('.log').querySelectorAll('button, a, textarea, .textual')]
    .filter((each) => each.checkVisibility() && !each.closest('.toolbar'))
    .filter((each) => rectsOf(each).some((rect) => overlap(bar.getBoundingClientRect(), rect)));
  return bars.flatMap(covered).map((each) => each.outerHTML.slice(0, 120));
}"""
"""Returns what the toolbars that can be seen cover in their list of messages."""


async def many_messages(office: Office) -> list[str]:
    """Post cards and messages with thumbs and replies; returns the timestamps of those of the channel."""
    texts = ("one", "two " * 60, "three", "four")
    posted = [office.workspace.post(office.ana.id, office.channel.id, text) for text in texts]
    shown = [await office.show(), *posted, await office.show()]
    for ts in shown:
        for name in ("+1", "-1", "shrug", "eyes", "tada", "heart"):
            office.workspace.react(office.ben.id, office.channel.id, ts, name)
        office.workspace.post(office.ana.id, office.channel.id, "because " * 20, thread_ts=ts)
        office.workspace.post(office.ana.id, office.channel.id, "indeed", thread_ts=ts)
    return shown


@pytest.mark.parametrize("width", [1280, 390])
async def test_the_toolbar_of_a_message_covers_nothing(office: Office, browser: Browser, width: int) -> None:
    shown = await many_messages(office)
    page = await browser.new_page(viewport={"width": width, "height": 800})
    await arrive(page, office, office.ana)
    for ts in shown:
        await row(page, ts).hover()
        assert await page.evaluate(COVERED) == []
    own = shown[1]
    await tool(row(page, own), "More actions")
    await page.get_by_role("menuitem", name="Edit message").click()
    await row(page, own).get_by_role("button", name="Save").hover()
    assert await page.evaluate(COVERED) == []
    await page.keyboard.press("Escape")
    await tool(row(page, shown[0]), "Reply in thread")
    for reply in await page.get_by_test_id("thread").get_by_test_id("message").all():
        await reply.hover()
        assert await page.evaluate(COVERED) == []
    await page.close()


async def test_a_finger_on_a_card_casts_no_vote_wherever_it_lands(office: Office, browser: Browser) -> None:
    cards = [await office.show([{"type": "section", "text": plain("Fine. " * 30)}]) for _ in range(2)]
    context = await browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    page = await context.new_page()
    await arrive(page, office, office.ana)
    for ts in cards:
        box = await row(page, ts).bounding_box()
        assert box is not None
        for across in range(8, int(box["width"]) - 4, 24):
            for down in (3, 12, 20):
                await page.touchscreen.tap(box["x"] + across, box["y"] + down)
                await page.keyboard.press("Escape")  # a menu, where one opened
            if await page.get_by_role("button", name="Close thread").is_visible():
                await page.get_by_role("button", name="Close thread").tap()
    assert await page.evaluate(COVERED) == []
    assert [office.people(ts) for ts in cards] == [{}, {}]
    await row(page, cards[0]).get_by_label("Add reaction").tap()
    await page.get_by_role("button", name="+1").first.tap()
    await until(lambda: "+1" in office.people(cards[0]), "the vote that was meant")
    await context.close()


async def test_a_link_in_the_home_tab_scrolls_to_its_message(office: Office, page: Page) -> None:
    first = await office.show()
    for number in range(12):
        await office.show(text=f"Verdict {number}")
    link = f"https://demo.slack.com/archives/{office.channel.id}/p{first.replace('.', '')}"
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": f"<{link}|Open the card>"}}]
    await page.get_by_test_id("sidebar").get_by_role("button", name="memalign").click()
    await expect(page.get_by_test_id("home")).to_contain_text("Welcome")
    await office.bot.client.views_publish(user_id=office.ana.id, view={"type": "home", "blocks": blocks})
    for _ in range(2):
        await page.get_by_role("link", name="Open the card").click()
        await expect(row(page, first)).to_be_in_viewport()
        await expect(row(page, first)).to_be_focused()
        await page.evaluate("new Promise((done) => setTimeout(done, 300))")
        await expect(row(page, first)).to_be_in_viewport()
        await page.get_by_test_id("sidebar").get_by_role("button", name="memalign").click()
        await expect(page.get_by_test_id("home")).to_contain_text("Welcome")
        await office.bot.client.views_publish(user_id=office.ana.id, view={"type": "home", "blocks": blocks})


async def test_a_command_is_sent_with_mentions_as_slack_escapes_them(office: Office, page: Page) -> None:
    ben = office.ben
    for typed, sent in (
        ("/memalign forget --person @ben", f"forget --person <@{ben.id}|ben>"),
        ("/memalign stats #politeness now", f"stats <#{office.channel.id}|politeness> now"),
        ("/memalign teach a < b & mail ana@ben.example", "teach a &lt; b &amp; mail ana@ben.example"),
    ):
        await say(page, typed)
        await until(lambda sent=sent: ("command", sent) in office.bot.recorded, sent)  # type: ignore[misc]


async def test_the_demo_bar_says_what_went_wrong_and_when_all_have_answered(
    office: Office, page: Page
) -> None:
    replay = {"label": "Let them answer", "name": "replay", "running": False, "done": 3, "total": 40}
    office.server.set_demo({"title": "memalign demo", "replay": {**replay, "problem": "It stopped."}})
    await expect(page.get_by_role("alert").filter(has_text="It stopped.")).to_be_visible()
    await expect(page.get_by_role("button", name="Let them answer")).to_be_visible()
    office.server.set_demo(
        {
            "title": "memalign demo",
            "replay": {**replay, "finished": "All have answered", "note": "One left out."},
        }
    )
    await expect(page.get_by_test_id("replay-finished")).to_have_text("All have answered")
    await expect(page.get_by_text("One left out.")).to_be_visible()
    await expect(page.get_by_role("button", name="Let them answer")).to_have_count(0)
