"""The parts of Slack that one person alone sees: ephemeral messages, open modals, the home tab."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from bot.sandbox.workspace.changes import (
    EphemeralRemoved,
    EphemeralShown,
    HomePublished,
    ViewsChanged,
    WorkspaceChange,
)
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Message, Payload, View

MAX_OPEN_MODALS = 3
"""Greatest number of modals on top of each other."""


class PersonViews:
    """Ephemeral messages, modals and homes by person. `views_created` counts the views that got an id."""

    def __init__(self, tell: Callable[[WorkspaceChange], None]) -> None:
        self._tell = tell
        self._ephemerals: dict[str, dict[str, Message]] = {}
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}
        self.views_created = 0

    def show(self, message: Message) -> None:
        """Show an ephemeral message to the person it is for, or replace it."""
        self._ephemerals.setdefault(_reader(message), {})[message.ts] = message
        self._tell(EphemeralShown(message=message))

    def hide(self, message: Message) -> None:
        """Take an ephemeral message away."""
        if self._ephemerals.get(_reader(message), {}).pop(message.ts, None) is not None:
            self._tell(EphemeralRemoved(message=message))

    def ephemerals(self, user_id: str) -> list[Message]:
        """List the ephemeral messages a person still sees, oldest first."""
        return list(self._ephemerals.get(user_id, {}).values())

    def ephemeral(self, user_id: str, ts: str) -> Message | None:
        """Return an ephemeral message the person still sees, or None."""
        return self._ephemerals.get(user_id, {}).get(ts)

    def next_view_id(self) -> str:
        """Mint an id for a view."""
        self.views_created += 1
        return f"V{self.views_created:010d}"

    def modals(self, user_id: str) -> list[View]:
        """List the modals on a person's screen, bottom first."""
        return list(self._stacks.get(user_id, []))

    def set_modals(self, user_id: str, views: list[View]) -> None:
        """Put these modals on a person's screen; refuses more than three with `push_limit_reached`."""
        if len(views) > MAX_OPEN_MODALS:
            raise SlackError("push_limit_reached", "No more than three modals can lie on top of each other.")
        self._stacks[user_id] = list(views)
        self._tell(ViewsChanged(user=user_id))

    def home(self, user_id: str) -> View | None:
        """Return the person's home tab, or None while the app published none."""
        return self._homes.get(user_id)

    def publish_home(self, view: View) -> None:
        """Show a home tab to the person it is for."""
        self._homes[view.user] = view
        self._tell(HomePublished(user=view.user))

    def restore(self, homes: list[View], views_created: int) -> None:
        """Take over the homes of a snapshot, and the number of views that had got an id."""
        self._homes = {home.user: home for home in homes}
        self.views_created = views_created

    def homes(self) -> list[View]:
        """List all published homes."""
        return list(self._homes.values())

    def set_state(self, view: View, state: Payload) -> View:
        """Store what a person entered in a view and return it so; nobody is notified, for their page shows it."""
        changed = replace(view, state=state)
        if self._homes.get(view.user) == view:
            self._homes[view.user] = changed
        stack = self._stacks.get(view.user, [])
        self._stacks[view.user] = [changed if known.id == view.id else known for known in stack]
        return changed

    def find(self, view_id: str) -> View:
        """Return an open modal or a home by its id; refuses with `not_found`."""
        return _first(view for view in self._open_views() if view.id == view_id)

    def find_external(self, external_id: str) -> View:
        """Return an open modal or a home by the app's own id for it; refuses with `not_found`."""
        return _first(view for view in self._open_views() if view.content.get("external_id") == external_id)

    def open_view(self, user_id: str, view_id: str) -> View:
        """Return a person's own modal or home by its id; refuses with `not_found`."""
        return _first(view for view in self._open_views() if (view.id, view.user) == (view_id, user_id))

    def _open_views(self) -> Iterator[View]:
        yield from self._homes.values()
        for stack in self._stacks.values():
            yield from stack

    def put(self, view: View) -> None:
        """Replace an open modal or a home by its changed self."""
        if view.user in self._homes and self._homes[view.user].id == view.id:
            self.publish_home(view)
        else:
            self.set_modals(
                view.user, [view if known.id == view.id else known for known in self.modals(view.user)]
            )


def _first(views: Iterator[View]) -> View:
    for view in views:
        return view
    raise SlackError("not_found", "That view is not open any more.")


def _reader(message: Message) -> str:
    if message.only_for is None:
        raise ValueError(f"message {message.ts} is for everyone, not ephemeral")
    return message.only_for
