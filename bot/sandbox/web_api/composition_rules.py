"""Slack's rules for composition objects: texts, options, option groups, confirmation dialogs."""

from bot.sandbox.web_api.validators import Rule, array, choice, flag, record, string


def text(maximum: int, *, plain: bool = False) -> Rule:
    """Allow a text object of up to `maximum` characters, `plain` where Slack takes no mrkdwn."""
    plain_text = record({"type": choice("plain_text"), "text": string(maximum)}, {"emoji": flag})
    mrkdwn = record({"type": choice("mrkdwn"), "text": string(maximum)}, {"verbatim": flag})

    def check(value: object, pointer: str, complaints: list[str]) -> None:
        if not plain and isinstance(value, dict) and value.get("type") == "mrkdwn":
            mrkdwn(value, pointer, complaints)
        else:
            plain_text(value, pointer, complaints)

    return check


ACTION_ID = string(255)
BLOCK_ID = string(255, minimum=0)
STYLE = choice("primary", "danger")
CONFIRM = record(
    {
        "title": text(100, plain=True),
        "text": text(300),
        "confirm": text(30, plain=True),
        "deny": text(30, plain=True),
    },
    {"style": STYLE},
)


def option(*, plain: bool, link: bool = False) -> Rule:
    """Allow one option of a menu or a group."""
    more: dict[str, Rule] = {"description": text(75, plain=plain)}
    if link:
        more["url"] = string(3000)
    return record({"text": text(75, plain=plain), "value": string(150)}, more)


MENU_OPTION = option(plain=True)
GROUP_OPTION = option(plain=False)
OPTION_GROUP = record({"label": text(75, plain=True), "options": array(MENU_OPTION, 100)})
DISPATCH_ACTION_CONFIG = record(
    {}, {"trigger_actions_on": array(choice("on_enter_pressed", "on_character_entered"), 2)}
)
