"""Faults that tests inject into the embedded Slack: failing calls, lost acknowledgements, closed sockets."""

from bot.sandbox.delivery.dispatcher import Delivery, Dispatcher
from bot.sandbox.delivery.socket_mode import SocketMode
from bot.sandbox.web_api.fault_injection import ApiFaults, Fault, Hold


class Faults:
    """Injects faults into the Web API, the delivery of events, and Socket Mode."""

    def __init__(
        self,
        api_faults: ApiFaults,
        dispatcher: Dispatcher,
        socket_mode: SocketMode,
        unknown_blocks: set[str],
    ) -> None:
        self._api_faults = api_faults
        self._unknown_blocks = unknown_blocks
        self._dispatcher = dispatcher
        self._socket_mode = socket_mode

    def fail_next(
        self,
        method: str,
        *,
        status: int = 200,
        error: str | None = None,
        retry_after: int | None = None,
        lost: bool = False,
        body: str | None = None,
        content_type: str = "application/json",
        times: int = 1,
    ) -> None:
        """Let the next `times` calls of a Web API method go wrong; see Fault for the other arguments."""
        fault = Fault(
            status=status,
            error=error,
            retry_after=retry_after,
            lost=lost,
            body=body,
            content_type=content_type,
        )
        self._api_faults.fail_next(method, fault, times)

    def hold(self, method: str) -> Hold:
        """Keep the answers of a Web API method back, after they took effect, until the hold is released."""
        return self._api_faults.hold(method)

    def refuse_blocks(self, kind: str) -> None:
        """Refuse messages with blocks of a type from now on, as a workspace does that does not know it yet."""
        self._unknown_blocks.add(kind)

    def withhold_events(self) -> None:
        """Tell the app of no event from now on, as in a gap longer than Slack's retries."""
        self._dispatcher.withhold_events()

    def drop_acks(self, count: int) -> None:
        """Ignore `count` more of the acknowledgements to come."""
        self._dispatcher.drop_acks(count)

    def stop_dropping_acks(self) -> None:
        """Take every acknowledgement from now on."""
        self._dispatcher.stop_dropping_acks()

    def redeliver(self, delivery: Delivery) -> None:
        """Deliver an event once more, under the same event id."""
        self._dispatcher.redeliver(delivery)

    def redeliver_last(self) -> None:
        """Deliver the last event once more; raises LookupError when there was none."""
        events = [delivery for delivery in self._dispatcher.deliveries if delivery.type == "events_api"]
        if not events:
            raise LookupError("no event was delivered yet, there is nothing to deliver again")
        self._dispatcher.redeliver(events[-1])

    async def disconnect(self, reason: str = "refresh_requested", *, announce: bool = True) -> None:
        """Close the bot's sockets, announced or (`announce=False`) by surprise; `warning` only announces."""
        await self._socket_mode.disconnect(reason, announce=announce)
