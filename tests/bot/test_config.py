"""Settings: what stops the start, and what the sentence says."""

import os
from pathlib import Path

import pytest

from bot.config import Secrets, Settings, StorageSettings, load_environment, load_settings, read_settings
from memalign.errors import SettingsError
from memalign.records import Json
from storage.location import PostgresUrl

JUDGE = """
[[judges]]
name = "politeness"
channel = "C0123456789"
instructions = "Is the answer polite? {{ inputs }} {{ outputs }}"
"""


def load(folder: Path, text: str, *, channels: bool = True) -> Settings:
    file = folder / "memalign.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, channels=channels)


def message_for(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(folder, text)
    return str(caught.value)


def test_the_least_settings_have_the_contracts_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path, JUDGE)
    assert settings.data == tmp_path / "data"
    assert (settings.memory.reflection_lm, settings.memory.embedding_model) == (
        "openai:/gpt-5-mini",
        "openai:/text-embedding-3-small",
    )
    assert (settings.memory.embedding_dim, settings.memory.retrieval_k) == (512, 5)
    assert (settings.judges[0].model, settings.judges[0].feedback_value_type) == (
        "openai:/gpt-5-mini",
        "bool",
    )
    assert (settings.sampling.rate, settings.sampling.max_per_day) == (0.1, 30)
    assert (settings.digest.day, settings.digest.time) == ("mon", "09:00")
    assert (settings.ingest.host, settings.ingest.port, settings.ingest.max_pending) == (
        "127.0.0.1",
        8080,
        10_000,
    )
    assert settings.ingest.max_body == 16 * 1024 * 1024
    assert settings.access.forget == []


def test_the_example_has_one_judge_and_otherwise_the_defaults(tmp_path: Path) -> None:
    example = load_settings(Path(__file__).parents[2] / "memalign.example.toml")
    (judge,) = example.judges
    assert (judge.name, judge.channel, judge.feedback_value_type) == ("politeness", "C0123456789", "bool")
    assert example.digest.timezone == "Europe/Berlin"
    assert example.storage == StorageSettings(path="data", keep_days=90)
    defaults = load(tmp_path, JUDGE)
    for section in ("memory", "sampling", "access", "redaction", "ingest"):
        assert getattr(example, section) == getattr(defaults, section), section


@pytest.mark.parametrize(
    "section", ["storage", "memory", "sampling", "digest", "access", "redaction", "ingest"]
)
def test_an_unknown_key_is_named_with_those_there_are(tmp_path: Path, section: str) -> None:
    message = message_for(tmp_path, f"{JUDGE}\n[{section}]\ncolour = 1\n")
    line = f"{JUDGE}\n[{section}]\n".count("\n") + 1
    assert message.startswith(
        f"{tmp_path / 'memalign.toml'}:{line}: {section}.colour: unknown key; expected one of "
    )


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            JUDGE + "[memory]\nretreval_k = 3",
            ["7: memory.retreval_k: unknown key; did you mean retrieval_k?"],
        ),
        (
            JUDGE + "[sampling]\n\n# a share\nRate = 1.0",
            ["9: sampling.Rate: unknown key; did you mean rate?"],
        ),
        (JUDGE + "[storge]\npath = 'x'", ["6: storge: unknown key; did you mean storage?"]),
        (
            JUDGE + '[ingest]\nport = "x"\n[access]\nforgte = []\n[digest]\ntime = "25:00"',
            ["7: ingest.port: ", "9: access.forgte: unknown key; did you mean forget?", "11: digest.time: "],
        ),
        (JUDGE + '[[judges]]\nname = "b"', ["6: judges[2].instructions: is missing."]),
        (
            JUDGE + 'range = """\n[storage]\npath = 1\n"""\nchanel = "C1"',
            ["6: judges[1].range: ", "10: judges[1].chanel: unknown key; did you mean channel?"],
        ),
        (
            JUDGE + 'feedback_value_type = "boolean"',
            [
                "6: judges[1].feedback_value_type: input should be 'bool', 'int', 'float' or 'str' or a valid list"
            ],
        ),
    ],
)
def test_each_problem_has_a_line_with_its_line_number_and_the_nearest_key(
    tmp_path: Path, text: str, lines: list[str]
) -> None:
    told = message_for(tmp_path, text).splitlines()
    assert len(told) == len(lines), told
    for line, part in zip(told, lines, strict=True):
        assert line.startswith(f"{tmp_path / 'memalign.toml'}:{part}"), told


def test_a_judge_has_the_share_and_number_of_the_sampling_unless_it_has_its_own(tmp_path: Path) -> None:
    own = JUDGE.replace("politeness", "brevity", 1) + "rate = 1\nmax_per_day = 4\n"
    settings = load(tmp_path, JUDGE + own + "[sampling]\nrate = 0.2\nmax_per_day = 9")
    assert [settings.rate_of(judge) for judge in settings.judges] == [0.2, 1.0]
    assert [settings.max_per_day_of(judge) for judge in settings.judges] == [9, 4]
    # the channel's number holds over all
    lower = load(tmp_path, own + "[sampling]\nmax_per_day = 3")
    assert lower.max_per_day_of(lower.judges[0]) == 3


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (JUDGE + "rate = 1.5", ["judges[1].rate: ", "less than or equal to 1"]),
        (JUDGE + "max_per_day = -1", ["judges[1].max_per_day: "]),
        (JUDGE + 'colour = "red"', ["judges[1].colour: unknown key; expected one of name, instructions"]),
        (JUDGE + "[colour]\na = 1", ["colour: unknown key; expected one of storage, memory, judges"]),
        ('colour = 1\nfolder = "x"' + JUDGE, ["colour: unknown key", "folder: is not a key; remove it"]),
        ("", ["judges: is missing"]),
        ("judges = []", ["judges: "]),
        ("[[judges]]\nchannel = 'C1'", ["judges[1].name: is missing", "judges[1].instructions: is missing"]),
        (JUDGE + '[sampling]\nrate = "much"', ["sampling.rate: ", "number", "found 'much'"]),
        (JUDGE + "[sampling]\nrate = 1.5", ["sampling.rate: ", "less than or equal to 1"]),
        (JUDGE + "[sampling]\nmax_per_day = -1", ["sampling.max_per_day: "]),
        (JUDGE + "[ingest]\nport = 70000", ["ingest.port: ", "65535"]),
        (JUDGE + '[ingest]\nport = "8080"', ["ingest.port: ", "integer"]),
        (JUDGE + "[ingest]\nmax_body_mb = true", ["ingest.max_body_mb: "]),
        (JUDGE + "[memory]\nretrieval_k = 0", ["memory.retrieval_k: "]),
        (JUDGE + '[memory]\nreflection_lm = "gpt-5"', ["memory.reflection_lm: ", "openai:/NAME"]),
        (
            JUDGE + '[memory]\nembedding_model = "local:/bert"',
            ["memory.embedding_model: ", "local:/wordllama"],
        ),
        (JUDGE + "[digest]\nday = 1", ["digest.day: "]),
        (JUDGE + '[digest]\nday = "someday"', ["digest.day: ", "'mon'"]),
        (JUDGE + '[digest]\ntime = "25:00"', ['digest.time: expected a time of day such as "09:00"']),
        (JUDGE + '[digest]\ntimezone = "Mars"', ["digest.timezone: expected the name of a time zone"]),
        (JUDGE + '[digest]\ntimezone = "../etc"', ["digest.timezone: expected the name of a time zone"]),
        (JUDGE + '[access]\nforget = "U1"', ["access.forget: ", "list"]),
        (JUDGE + JUDGE, ['two judges are named "politeness"']),
        (JUDGE.replace("{{ inputs }}", "{{ question }}"), ["question", "inputs"]),
        (JUDGE.replace("{{ inputs }} {{ outputs }}", ""), ["{{"]),
        (JUDGE + 'feedback_value_type = "boolean"', ["judges[1].feedback_value_type: ", "'boolean'"]),
        (JUDGE + 'feedback_value_type = ["one"]', ["judges[1].feedback_value_type: "]),
        (JUDGE + 'feedback_value_type = ["a", "A"]', ["categories"]),
        (JUDGE + "range = [1, 5]", ["Judge politeness: A range is for judges of int or float, not of bool"]),
        *[
            (JUDGE + f'feedback_value_type = "int"\nrange = {pair}', ["such as [1, 5]"])
            for pair in ("[5, 1]", "[1]", "5", "[1, 5, 9]", "[1, nan]", "[1.5, 5]")
        ],
        (JUDGE + 'feedback_value_type = "int"\nrange = [1, "5"]', ["judges[1].range[2]"]),
        (JUDGE + 'model = "gpt-5"', ["gpt-5", "openai:/NAME"]),
        (JUDGE.replace('channel = "C0123456789"\n', ""), ['judges.channel of "politeness"']),
        ("[[judges", ["is not valid TOML"]),
    ],
)
def test_what_is_wrong_is_said_with_the_key_and_what_was_expected(
    tmp_path: Path, text: str, parts: list[str]
) -> None:
    message = message_for(tmp_path, text)
    assert [part for part in parts if part not in message] == [], message
    assert all(line.startswith(str(tmp_path / "memalign.toml")) for line in message.splitlines())


def test_all_problems_are_told_together_each_in_its_line(tmp_path: Path) -> None:
    text = JUDGE + '[digest]\nday = "x"\ntime = "x"\n[ingest]\nport = -1\ncolour = 2\n'
    keys = [line.split(": ")[1] for line in message_for(tmp_path, text).splitlines()]
    assert sorted(keys) == ["digest.day", "digest.time", "ingest.colour", "ingest.port"]


def test_a_missing_file_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"There is no settings file .*copy memalign\.example\.toml"):
        load_settings(tmp_path / "memalign.toml")


def test_a_folder_or_bytes_are_no_settings_file(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"cannot be read \(Is a directory\); name another one with --config\.$"
    ):
        load_settings(tmp_path)
    (tmp_path / "memalign.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"is not UTF-8 text; save it as such\.$"):
        load_settings(tmp_path / "memalign.toml")


def test_commands_without_slack_need_no_channel(tmp_path: Path) -> None:
    settings = load(tmp_path, JUDGE.replace('channel = "C0123456789"\n', ""), channels=False)
    assert settings.judges[0].channel == ""


@pytest.mark.parametrize(("name", "expected"), [("politeness", "politeness"), ("POLITENESS", "politeness")])
def test_a_judge_is_found_by_its_name(tmp_path: Path, name: str, expected: str) -> None:
    assert load(tmp_path, JUDGE).judge(name).name == expected


def test_secrets_come_from_the_environment_and_are_not_shown() -> None:
    secrets = Secrets.from_environment(
        {
            "SLACK_BOT_TOKEN": " xoxb-1 ",
            "SLACK_APP_TOKEN": "xapp-1",
            "SLACK_API_URL": "http://127.0.0.1:1/api",
        }
    )
    assert (secrets.bot_token, secrets.app_token, secrets.api_url) == (
        "xoxb-1",
        "xapp-1",
        "http://127.0.0.1:1/api/",
    )
    assert "xoxb-1" not in repr(secrets)
    assert Secrets.from_environment({}).api_url == "https://slack.com/api/"


def test_an_env_file_adds_what_the_environment_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "from the environment")
    monkeypatch.delenv("SLACK_APP_TOKEN", raising=False)
    (tmp_path / ".env").write_text('SLACK_BOT_TOKEN=from the file\nSLACK_APP_TOKEN="xapp-1"\n')
    try:
        load_environment(tmp_path)
        secrets = Secrets.from_environment()
    finally:
        os.environ.pop("SLACK_APP_TOKEN", None)
    assert (secrets.bot_token, secrets.app_token) == ("from the environment", "xapp-1")


@pytest.mark.parametrize(
    ("section", "wrong", "named"),
    [
        ("memory", {"reflection_lm": "local:/cases"}, "memory.reflection_lm"),
        ("memory", {"embedding_model": "anthropic:/some"}, "memory.embedding_model"),
        ("access", {"forget": ["@ana"]}, "access.forget"),
    ],
)
def test_what_cannot_be_used_so_is_named_with_its_key(
    section: str, wrong: dict[str, Json], named: str
) -> None:
    judge = {"name": "wit", "channel": "C1", "instructions": "{{ inputs }}"}
    with pytest.raises(SettingsError, match=named):
        read_settings({"judges": [judge], section: wrong}, Path("memalign.toml"))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"model": "local:/extract"}, "model: .* does not judge"),
        ({"channel": "#wit"}, "judges.channel of .*C0123"),
    ],
)
def test_a_judge_that_cannot_work_is_named_with_its_key(wrong: dict[str, str], named: str) -> None:
    judge = {"name": "wit", "channel": "C1", "instructions": "{{ inputs }}", **wrong}
    with pytest.raises(SettingsError, match=named):
        read_settings({"judges": [judge]}, Path("memalign.toml"))


def test_an_address_of_slack_that_is_none_is_told() -> None:
    with pytest.raises(SettingsError, match="SLACK_API_URL"):
        Secrets.from_environment({"SLACK_API_URL": "not a url"})


def test_options_of_models_are_read_by_name(tmp_path: Path) -> None:
    table = """
[models." openai:/m "]
base_url = "http://127.0.0.1:1/v1"
api_key_env = "TEAM_KEY"
timeout_seconds = 300
params = { temperature = 0 }
"""
    settings = load(tmp_path, JUDGE + table)
    options = settings.options_of("openai:/m")
    assert (options.base_url, options.api_key_env, options.timeout_seconds) == (
        "http://127.0.0.1:1/v1",
        "TEAM_KEY",
        300,
    )
    assert options.params == {"temperature": 0}
    assert settings.options_of("openai:/other").timeout_seconds == 120


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        (
            '[models."openai:/m"]\ntimeout = 5',
            ["models.openai:/m: timeout: is no option of a model (did you"],
        ),
        (
            '[models."openai:/m"]\nbase_url = 1\nstructured = "xml"',
            ["models.openai:/m: base_url is no address", "models.openai:/m: structured: expected one of"],
        ),
        ('[models."opnai:/m"]\ntimeout_seconds = 5', ["is no model; write openai:/NAME"]),
        ('[models."local:/cases"]\ntimeout_seconds = 5', ["models: local:/cases runs in this process"]),
        ('[models."anthropic:/m"]\nstructured = "json_object"', ["models: anthropic:/m has no structured"]),
        ('[models]\n"openai:/m" = 5', ["models.openai:/m: expected a table of options, found 5"]),
    ],
)
def test_what_is_wrong_with_options_is_told_with_the_model(
    tmp_path: Path, table: str, lines: list[str]
) -> None:
    message = message_for(tmp_path, JUDGE + table)
    assert [line for line in lines if line not in message] == []
    assert len(message.splitlines()) == len(lines)


DATABASE = "postgresql://bot:hunter2@db.example:5432/memalign"


@pytest.mark.parametrize(
    ("text", "name", "schema"),
    [
        (DATABASE, "postgresql://bot@db.example:5432/memalign", "memalign"),
        ("postgres://db.example/memalign?sslmode=require", "postgresql://db.example/memalign", "memalign"),
        (
            "postgresql://bot:a%40b%3A@a:1,b:2/x?schema=team_1&target_session_attrs=read-write",
            "postgresql://bot@a:1,b:2/x (schema team_1)",
            "team_1",
        ),
    ],
)
def test_a_database_takes_the_place_of_the_folder(tmp_path: Path, text: str, name: str, schema: str) -> None:
    settings = load(tmp_path, f'{JUDGE}\n[storage]\nurl = "{text}"\n')
    assert isinstance(settings.data, PostgresUrl)
    assert (str(settings.data), settings.data.schema) == (name, schema)
    assert "schema" not in settings.data.url
    assert "hunter2" not in f"{settings!r} {settings.data!r} {settings.data}"


def test_the_environment_names_the_database_before_the_file_does(tmp_path: Path) -> None:
    file = tmp_path / "memalign.toml"
    file.write_text(f'{JUDGE}\n[storage]\npath = "data"\nkeep_days = 9\n', encoding="utf-8")
    settings = load_settings(file, environment={"MEMALIGN_DATABASE_URL": DATABASE})
    assert (str(settings.data), settings.storage.keep_days) == (
        "postgresql://bot@db.example:5432/memalign",
        9,
    )
    assert load_settings(file, environment={"MEMALIGN_DATABASE_URL": " "}).data == tmp_path / "data"


@pytest.mark.parametrize(
    "text",
    [
        "mysql://bot:hunter2@db/x",
        "postgresql://bot:hun/ter2@db/x",
        "postgresql://bot:hunter2@x@db/x",
        "postgresql://bot:hunter2?@db/x",
        "postgresql://bot:hunter2#@db/x",
        "postgresql://bot:hunter2:1@db/x",
        "postgresql://bot:hunter2@db/x?schema=Team",
    ],
)
def test_a_database_that_cannot_be_read_is_refused_without_its_password(tmp_path: Path, text: str) -> None:
    file = tmp_path / "memalign.toml"
    file.write_text(JUDGE, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"^MEMALIGN_DATABASE_URL: The .* of the database") as caught:
        load_settings(file, environment={"MEMALIGN_DATABASE_URL": text})
    told = message_for(tmp_path, f'{JUDGE}\n[storage]\nurl = "{text}"\n')
    assert "storage.url: The " in told
    assert "hun" not in f"{told} {caught.value}"


def test_a_path_and_a_database_are_one_too_many(tmp_path: Path) -> None:
    told = message_for(tmp_path, f'{JUDGE}\n[storage]\npath = "data"\nurl = "{DATABASE}"\n')
    assert "storage takes a path or a url, not both; remove one of them." in told
