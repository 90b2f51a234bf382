"""A PostgreSQL server for tests: its own data folder, a free port on loopback, ended afterwards."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from storage.location import PostgresUrl, parse_postgres_url

_USER = "memalign"
_UNPRIVILEGED = "nobody"
_DEBIAN = "/usr/lib/postgresql"
_FAST = ("fsync=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=60", "autovacuum=off")
"""Settings of a server that loses its data anyway."""


class NoServerError(Exception):
    """There are no binaries of PostgreSQL here, or they do not run."""


class PostgresServer:
    """A server on its own data folder, which can be stopped, killed and started again on the same port."""

    def __init__(self, *, settings: tuple[str, ...] = _FAST) -> None:
        """Make the data folder. Raises `NoServerError`."""
        self._binaries = _binaries()
        # pytest keeps its own folders for its user alone
        folder = Path(tempfile.mkdtemp(prefix="memalign-postgres-"))
        self.data = folder / "data"
        self._log = folder / "server.log"
        self._settings = settings
        self.port = _free_port()
        if os.geteuid() == 0:
            # the server refuses root
            shutil.chown(folder, _UNPRIVILEGED)
        self._run(
            "initdb", "--no-sync", "--auth=trust", f"--username={_USER}", "--encoding=UTF8", "--locale=C"
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = " ".join(f"-c {setting}" for setting in self._settings)
        self._run(
            *("pg_ctl", "-w", "-l", str(self._log), "start", "-o"),
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= {options}",
        )

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast`, or `immediate`, as a cut of power does."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    def url(self, database: str = "postgres", *, schema: str = "memalign", port: int | None = None) -> str:
        """Return the URL of a database of this server."""
        return f"postgresql://{_USER}@127.0.0.1:{port or self.port}/{database}?schema={schema}"

    def location(self, database: str = "postgres", *, schema: str = "memalign") -> PostgresUrl:
        """Return the place of a store on this server."""
        return parse_postgres_url(self.url(database, schema=schema))

    def connect(self, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        """Connect beside the store."""
        return psycopg.connect(f"postgresql://{_USER}@127.0.0.1:{self.port}/{database}", autocommit=True)

    def create_database(self, name: str) -> None:
        """Make an empty database."""
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def files_with(self, words: Sequence[bytes], database: str) -> list[str]:
        """Return the table files of a database, and those of all, in which any of these bytes stand."""
        with self.connect(database) as connection:
            connection.execute("CHECKPOINT")
            row = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
            (number,) = row.fetchone() or (0,)
        return [
            f"{file.name}: {each.decode(errors='replace')}"
            for folder in (self.data / "base" / str(number), self.data / "global")
            for file in sorted(folder.rglob("*"))
            if file.is_file()
            for content in [file.read_bytes()]
            for each in words
            if each in content
        ]

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), "-D", str(self.data), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={_UNPRIVILEGED}", "--regid=nogroup", "--clear-groups", *command]
        # a file, no pipe: the server would hold its other end
        with (self.data.parent / "commands.log").open("ab") as log:
            done = subprocess.run(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=False, cwd="/"
            )
        if done.returncode:
            raise NoServerError(f"{program} fails: {(self.data.parent / 'commands.log').read_text()[-500:]}")


@contextmanager
def running_server(*, settings: tuple[str, ...] = _FAST) -> Iterator[PostgresServer]:
    """Run a server for the time of a block; the test is skipped where there is none."""
    try:
        server = PostgresServer(settings=settings)
        server.start()
    except NoServerError as problem:
        pytest.skip(f"no PostgreSQL server can be started here: {problem}")
    try:
        yield server
    finally:
        with suppress(NoServerError):  # the test has stopped it already
            server.stop("immediate")
        shutil.rmtree(server.data.parent, ignore_errors=True)


def _binaries() -> Path:
    """Return the folder of initdb and pg_ctl. Raises `NoServerError`."""
    named = os.environ.get("MEMALIGN_POSTGRES_BIN")
    debian = sorted(Path(_DEBIAN).glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    for folder in [*([Path(named)] if named else []), *debian, *on_path]:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise NoServerError("initdb is not found (Debian: apt-get install postgresql)")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
