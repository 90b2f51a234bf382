"""`memalign demo`: the real bot in the embedded workspace, on recorded traces, with models that need no key."""

import asyncio
from argparse import Namespace

from bot.app import Bot, Timing, running_bot
from bot.cli.logs import configure_logging
from bot.cli.progress import trace_bar
from bot.cli.run import stop_signal
from bot.config import LogSettings, Secrets
from bot.sandbox.demo.demo_page import DemoPage
from bot.sandbox.demo.folder import (
    DemoWorkspace,
    open_demo_workspace,
    prepare_folder,
    save_periodically,
    save_workspace,
    write_settings,
)
from bot.sandbox.demo.recordings import recordings
from bot.sandbox.demo.replay import Outcome, Replay
from bot.sandbox.demo.scoreboard import in_words, table_text
from bot.sandbox.server import SlackServer
from bot.sandbox.workspace.records import Command
from memalign.errors import SettingsError

MAX_REPLAYED = 180
"""Greatest number of recordings that `--replay` may use up; the others serve to measure."""
HELD_OUT_RECORDINGS = 100
"""Recordings that serve only to measure; the page's button does not replay them."""
SHORTCUTS = {"correct_verdict": "Correct this verdict", "forget_trace": "Forget this trace"}
COMMAND = Command(
    command="/memalign",
    description="See what the judge has learned, or take it back",
    usage_hint="guidelines [judge] [words] | history [judge] | teach <rule> | why <trace or link> | "
    "forget <trace or link> | status "
    "| digest [last or 2026-W47] | stats [judge] | pause | resume | mute | unmute | mine | forgotten | help",
)


async def demo(options: Namespace) -> None:
    """Run the demo until Ctrl-C; with `--replay`, until the table of before and after is printed."""
    configure_logging(LogSettings(level="warning"))
    _check_replay(options.replay)
    folder = prepare_folder(options.data)
    demo_workspace = open_demo_workspace(folder)
    settings = write_settings(folder, demo_workspace)
    stop = stop_signal()
    button_presses: asyncio.Queue[str] = asyncio.Queue()
    server = SlackServer(
        demo_workspace.workspace,
        port=options.port,
        commands=[COMMAND],
        shortcuts=SHORTCUTS,
        on_demo=button_presses.put,
    )
    await _start(server, options.port)
    secrets = Secrets(bot_token=server.bot_token, app_token=server.app_token, api_url=server.api_url)
    saving = asyncio.create_task(save_periodically(demo_workspace.workspace, folder))
    try:
        async with running_bot(settings, secrets, Timing(post_seconds=0.0, quiet_seconds=0.3)) as bot:
            if options.replay is not None:
                await replay_in_terminal(bot, demo_workspace, options.replay)
            else:
                replayed, held_out = recordings()[:-HELD_OUT_RECORDINGS], recordings()[-HELD_OUT_RECORDINGS:]
                replay = Replay(bot, demo_workspace, held_out)
                page = DemoPage(bot, server, button_presses, replay, replayed)
                await page.run(stop, browse=not options.no_browser)
    finally:
        saving.cancel()
        save_workspace(demo_workspace.workspace, folder)
        await server.stop()


async def replay_in_terminal(bot: Bot, demo_workspace: DemoWorkspace, number: int) -> None:
    """Replay the first `number` recordings and print the table of before and after."""
    all_recordings = recordings()
    replay = Replay(bot, demo_workspace, all_recordings[number:])

    async def report(done: int, total: int, outcome: Outcome | None) -> None:
        bar.update(done - bar.n)
        if bar.disable and outcome:
            print(f"{done} of {total} answered: {in_words(outcome.after)}", flush=True)

    with trace_bar("people answer", number) as bar:
        outcome = await replay.run(all_recordings[:number], report)
    print("\n" + table_text(outcome))


def _check_replay(number: int | None) -> None:
    if number is not None and not 1 <= number <= MAX_REPLAYED:
        raise SettingsError(
            f"--replay takes a number from 1 to {MAX_REPLAYED}; the other recordings serve to measure."
        )


async def _start(server: SlackServer, port: int) -> None:
    try:
        await server.start()
    except OSError as error:
        raise SettingsError(
            f"Cannot listen on port {port} ({error.strerror or error}); "
            "stop what uses it, or choose another: memalign demo --port 8123, or make demo PORT=8123."
        ) from error
