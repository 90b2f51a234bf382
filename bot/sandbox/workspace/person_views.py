"""What only one person sees: ephemeral messages, the modals on their screen, their home tab."""

from collections.abc import Callable
from dataclasses import replace

from bot.sandbox.workspace.changes import (
    EphemeralRemoved,
    EphemeralShown,
    FeedbackEvent,
    HomePublished,
    ViewsChanged,
)
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.records import Message, Payload, View

STACK = 3
"""Modals that may lie on top of each other."""


class Surfaces:
    """Ephemeral messages, modals and homes by person. `minted` counts the views that got an id."""

    def __init__(self, tell: Callable[[FeedbackEvent], None]) -> None:
        self._tell = tell
        self._ephemerals: dict[str, dict[str, Message]] = {}
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}
        self.minted = 0

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
        self.minted += 1
        return f"V{self.minted:010d}"

    def stack(self, user_id: str) -> list[View]:
        """List the modals on a person's screen, bottom first."""
        return list(self._stacks.get(user_id, []))

    def restack(self, user_id: str, views: list[View]) -> None:
        """Put these modals on a person's screen; refuses more than three with `push_limit_reached`."""
        if len(views) > STACK:
            raise Refused("push_limit_reached", "No more than three modals can lie on top of each other.")
        self._stacks[user_id] = list(views)
        self._tell(ViewsChanged(user=user_id))

    def home(self, user_id: str) -> View | None:
        """Return the person's home tab, or None while the app published none."""
        return self._homes.get(user_id)

    def publish_home(self, view: View) -> None:
        """Show a home tab to the person it is for."""
        self._homes[view.user] = view
        self._tell(HomePublished(user=view.user))

    def restore(self, homes: list[View], minted: int) -> None:
        """Take over the homes of a workspace that was kept; `minted` views had ids."""
        self._homes = {home.user: home for home in homes}
        self.minted = minted

    def homes(self) -> list[View]:
        """List all published homes."""
        return list(self._homes.values())

    def enter(self, view: View, state: Payload) -> View:
        """Keep what a person entered in a view; returns the view with it. The person's page knows already."""
        changed = replace(view, state=state)
        if self._homes.get(view.user) == view:
            self._homes[view.user] = changed
        stack = self._stacks.get(view.user, [])
        self._stacks[view.user] = [changed if known.id == view.id else known for known in stack]
        return changed

    def find(self, view_id: str) -> View:
        """Return an open modal or a home by its id; refuses with `not_found`."""
        views = [*self._homes.values(), *(view for stack in self._stacks.values() for view in stack)]
        for view in views:
            if view.id == view_id:
                return view
        raise Refused("not_found", "That view is not open any more.")

    def find_external(self, external_id: str) -> View:
        """Return an open modal or a home by the app's own id for it; refuses with `not_found`."""
        views = [*self._homes.values(), *(view for stack in self._stacks.values() for view in stack)]
        for view in views:
            if external_id and view.content.get("external_id") == external_id:
                return view
        raise Refused("not_found", "That view is not open any more.")

    def put(self, view: View) -> None:
        """Replace an open modal or a home by its changed self."""
        if view.user in self._homes and self._homes[view.user].id == view.id:
            self.publish_home(view)
        else:
            self.restack(
                view.user, [view if known.id == view.id else known for known in self.stack(view.user)]
            )


def _reader(message: Message) -> str:
    if message.only_for is None:
        raise ValueError(f"message {message.ts} is for everyone, not ephemeral")
    return message.only_for
