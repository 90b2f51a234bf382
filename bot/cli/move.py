"""`memalign move`: carry the store over to PostgreSQL, or back to a folder, while no bot runs."""

import sys
from argparse import Namespace
from pathlib import Path

from tqdm import tqdm

from bot.cli.terminal import print_text
from bot.config import load_environment, load_settings
from bot.plain_text import pluralise
from storage.location import Location, is_postgres_url, parse_postgres_url
from storage.moving import move as move_store


async def move(options: Namespace) -> None:
    """`memalign move --to URL|FOLDER`."""
    load_environment(options.config.parent)
    source = load_settings(options.config, channels=False).data
    target: Location = parse_postgres_url(options.to) if is_postgres_url(options.to) else Path(options.to)
    with tqdm(unit="record", disable=not sys.stderr.isatty(), leave=False) as bar:

        def advance(number: int) -> None:
            bar.update(number)

        moved = await move_store(source, target, begin=bar.reset, advance=advance)
    documents, tables = pluralise(moved.documents, "record"), pluralise(moved.tables, "table")
    print_text(f"Moved {documents} in {tables} from {source} to {target}, and compared both.")
    print_text(f"{source} is as it was. To go on with the copy, {_next_step(target)}.")


def _next_step(target: Location) -> str:
    if isinstance(target, Path):
        return f'put path = "{target.absolute()}" under [storage], in the place of url'
    return "put its url under [storage], in the place of path, or set MEMALIGN_DATABASE_URL"
