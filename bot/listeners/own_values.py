"""Values that the bot put into its cards and modals, as they come back with a click. Pure."""

import json
from dataclasses import dataclass

from bot.slack.payload import MalformedPayloadError
from memalign.records import Json, Label


@dataclass(frozen=True, slots=True, kw_only=True)
class ModalSubject:
    """The card that a modal was opened for."""

    verdict_id: str
    card_ts: str

    @classmethod
    def read(cls, private_metadata: str) -> "ModalSubject":
        """Read what the modal carries. Raises `MalformedPayloadError`."""
        document = load_json(private_metadata)
        if not isinstance(document, dict):
            raise MalformedPayloadError("The private_metadata of the modal is no object.")
        verdict_id, card_ts = document.get("verdict_id"), document.get("card_ts")
        if not (isinstance(verdict_id, str) and isinstance(card_ts, str)) or not is_message_ts(card_ts):
            raise MalformedPayloadError("The private_metadata of the modal names no card.")
        return cls(verdict_id=verdict_id, card_ts=card_ts)


def is_message_ts(text: str) -> bool:
    """Return whether a text is a message's ts: seconds since 1970 in decimal digits."""
    return text.isascii() and text.replace(".", "", 1).isdigit()


def chosen_value(action: dict[str, Json]) -> Label:
    """Return the label that was chosen: an option of a menu, or a button. Raises `MalformedPayloadError`."""
    if action.get("type") == "button":
        return label_of(str(action.get("value")))
    option = action.get("selected_option")
    if not isinstance(option, dict):
        raise MalformedPayloadError("The menu has no selected_option.")
    return label_of(option["value"])


def label_of(option_value: str) -> Label:
    """Return the label of an option's value, which is JSON. Raises `MalformedPayloadError`."""
    label = load_json(option_value)
    if isinstance(label, bool | int | float | str):
        return label
    raise MalformedPayloadError("The value of the option is no label.")


def load_json(text: str) -> Json:
    """Return a value of the bot's own, which is JSON. Raises `MalformedPayloadError`."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedPayloadError("A value of the bot's own is no JSON.") from error
