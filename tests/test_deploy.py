"""Files to deploy the bot with, held against the product: ports, paths, user, variables, times."""

import configparser
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from bot.__main__ import parser
from bot.cli.run import NOTICE_SECONDS, STOP_SECONDS
from bot.config import IngestSettings, read_settings
from bot.web.server import ENDPOINTS
from memalign.records import Json

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "docs" / "deploy"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
KUBERNETES = {
    name: list(yaml.safe_load_all((DEPLOY / name).read_text(encoding="utf-8")))
    for name in ("kubernetes.yaml", "kubernetes-folder.yaml")
}
UNIT = DEPLOY / "memalign.service"
MAX_EXPOSURE = 2.0
"""Of `systemd-analyze security`, from 0 to 10; "OK" begins below 5."""
OF_COMPOSE_ALONE = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"}


def instruction(name: str) -> str:
    """The last such instruction of the Dockerfile, which is that of the image."""
    return str(re.findall(rf"^{name} (.+)$", DOCKERFILE, re.MULTILINE)[-1])


def settings_path() -> str:
    return str(yaml.safe_load(instruction("CMD"))[-1])


def documents(kind: str) -> Iterator[Json]:
    for each in KUBERNETES.values():
        yield from (document for document in each if document["kind"] == kind)


def pods() -> list[Json]:
    return [document["spec"]["template"]["spec"] for document in documents("Deployment")]


def containers() -> list[Json]:
    return [container for pod in pods() for container in pod["containers"]]


def is_known(variable: str) -> bool:
    """Return whether the product reads an environment variable of that name."""
    sources = (file for package in ("bot", "memalign", "storage") for file in (ROOT / package).rglob("*.py"))
    return any(re.search(rf"\b{variable}\b", file.read_text(encoding="utf-8")) for file in sources)


# --- the image


def test_the_image_has_locked_packages_the_driver_of_postgresql_and_no_root() -> None:
    locks = set(re.findall(r"\S+\.lock", DOCKERFILE))
    assert locks == {"requirements-build.lock", "requirements-postgres.lock"}
    assert all((ROOT / lock).is_file() for lock in locks)
    assert locks <= {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    assert "psycopg==" in (ROOT / "requirements-postgres.lock").read_text(encoding="utf-8")
    assert DOCKERFILE.count("--require-hashes") == 2
    assert int(instruction("USER").partition(":")[0]) > 0
    assert DOCKERFILE.count("\nFROM ") == 2


def test_the_image_starts_and_asks_a_command_that_there_is() -> None:
    program, *arguments = yaml.safe_load(instruction("CMD"))
    assert program == "memalign"
    assert str(parser().parse_args(arguments).config) == settings_path()
    _, check = DOCKERFILE.split("HEALTHCHECK", 1)
    *_, module, file = yaml.safe_load(check[check.index("[") : check.index("]") + 1])
    assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
    assert file == settings_path()
    assert int(instruction("EXPOSE")) == IngestSettings().port


# --- compose.yaml


def test_compose_runs_two_read_only_replicas_on_one_postgresql() -> None:
    bot, database = COMPOSE["services"]["memalign"], COMPOSE["services"]["postgres"]
    assert bot["deploy"]["replicas"] == 2
    assert bot["read_only"] is True
    assert (bot["cap_drop"], bot["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    user = instruction("USER").partition(":")[0]
    assert f"{instruction('VOLUME')}:uid={user},gid={user}" in bot["tmpfs"]
    assert "/tmp" in bot["tmpfs"]  # noqa: S108 - that of the container
    assert bot["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert float(bot["stop_grace_period"].removesuffix("s")) > STOP_SECONDS
    address = urlsplit(
        bot["environment"]["MEMALIGN_DATABASE_URL"].replace("${POSTGRES_PASSWORD:?", "").replace("}", "")
    )
    assert address.scheme == "postgresql"
    assert address.path.removeprefix("/") == database["environment"]["POSTGRES_DB"]
    assert address.netloc.startswith(f"{database['environment']['POSTGRES_USER']}:")
    assert address.netloc.endswith("@postgres:5432")


def test_compose_publishes_the_port_of_each_replica_and_mounts_the_settings() -> None:
    bot = COMPOSE["services"]["memalign"]
    [published] = bot["ports"]
    host, ports, target = published.split(":")
    first, last = map(int, ports.split("-"))
    assert (host, int(target)) == ("127.0.0.1", int(instruction("EXPOSE")))
    assert last - first + 1 == bot["deploy"]["replicas"]
    assert bot["volumes"] == [f"./memalign.toml:{settings_path()}:ro"]
    assert COMPOSE["services"]["postgres"]["volumes"][0].partition(":")[0] in COMPOSE["volumes"]


# --- Kubernetes


def test_all_variables_are_read_by_the_product() -> None:
    names = set(COMPOSE["services"]["memalign"]["environment"])
    names |= {name for secret in documents("Secret") for name in secret["stringData"]}
    names |= set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text())) - OF_COMPOSE_ALONE
    assert "MEMALIGN_DATABASE_URL" in names
    assert [name for name in sorted(names) if not is_known(name)] == []


def test_secrets_hold_nothing_but_examples() -> None:
    for secret in documents("Secret"):
        assert all("REPLACE" in value for value in secret["stringData"].values())


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_probes_ask_what_the_server_answers_on_its_port(probe: str) -> None:
    for container in containers():
        [port] = container["ports"]
        asked = container[probe]["httpGet"]
        assert f"GET {asked['path']}" in ENDPOINTS
        assert asked["port"] == port["name"]
        assert port["containerPort"] == int(instruction("EXPOSE"))
        assert asked["path"] == ("/readyz" if probe == "readinessProbe" else "/healthz")


def test_a_stop_is_seen_before_the_port_closes_and_has_the_time_it_needs() -> None:
    for pod in pods():
        assert pod["terminationGracePeriodSeconds"] > STOP_SECONDS
        for container in pod["containers"]:
            probe = container["readinessProbe"]
            assert probe["periodSeconds"] * probe["failureThreshold"] <= NOTICE_SECONDS


def test_containers_run_as_the_image_does_and_write_to_mounts_alone() -> None:
    user = int(instruction("USER").partition(":")[0])
    for pod in pods():
        context = pod["securityContext"]
        assert (context["runAsNonRoot"], context["runAsUser"], context["fsGroup"]) == (True, user, user)
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            own = container["securityContext"]
            assert (own["readOnlyRootFilesystem"], own["allowPrivilegeEscalation"]) == (True, False)
            assert own["capabilities"] == {"drop": ["ALL"]}
            mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
            assert mounts.keys() == {settings_path(), instruction("VOLUME"), "/tmp"}  # noqa: S108
            assert mounts[settings_path()]["readOnly"] is True
            assert {mount["name"] for mount in mounts.values()} == volumes


def test_a_database_lets_replicas_roll_and_a_folder_has_one_at_a_time() -> None:
    [on_database], [on_folder] = (
        [each for each in KUBERNETES[name] if each["kind"] == "Deployment"]
        for name in ("kubernetes.yaml", "kubernetes-folder.yaml")
    )
    assert (on_database["spec"]["replicas"], on_database["spec"]["strategy"]["type"]) == (2, "RollingUpdate")
    assert on_database["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert (on_folder["spec"]["replicas"], on_folder["spec"]["strategy"]["type"]) == (1, "Recreate")
    [claim] = documents("PersistentVolumeClaim")
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_selectors_names_and_references_meet() -> None:
    kinds = {(each["kind"], each["metadata"]["name"]) for name in KUBERNETES for each in KUBERNETES[name]}
    for deployment in documents("Deployment"):
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"] == labels
        [service], [budget] = documents("Service"), documents("PodDisruptionBudget")
        assert service["spec"]["selector"] == budget["spec"]["selector"]["matchLabels"] == labels
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            assert {("Secret", each["secretRef"]["name"]) for each in container["envFrom"]} <= kinds
            assert service["spec"]["ports"][0]["targetPort"] == container["ports"][0]["name"]
        for volume in deployment["spec"]["template"]["spec"]["volumes"]:
            assert "configMap" not in volume or ("ConfigMap", volume["configMap"]["name"]) in kinds


def test_the_settings_in_the_config_map_are_settings() -> None:
    [config] = documents("ConfigMap")
    settings = read_settings(tomllib.loads(config["data"]["memalign.toml"]), Path("memalign.toml"))
    assert (settings.ingest.host, settings.ingest.port) == ("0.0.0.0", int(instruction("EXPOSE")))
    assert settings.log.format == "json"


# --- systemd


def unit() -> Mapping[str, str]:
    """The section of the service; of a key that comes twice the last."""
    file = configparser.ConfigParser(strict=False, interpolation=None)
    file.optionxform = str  # type: ignore[assignment, method-assign] # as its documentation has it
    file.read(UNIT, encoding="utf-8")
    return file["Service"]


def test_the_unit_starts_a_command_that_there_is_and_waits_for_its_end() -> None:
    program, *arguments = shlex.split(unit()["ExecStart"])
    assert Path(program).name == "memalign"
    assert parser().parse_args(arguments).function == "bot.cli.run:run"
    assert float(unit()["TimeoutStopSec"]) > STOP_SECONDS
    assert unit()["WorkingDirectory"] == f"/var/lib/{unit()['StateDirectory']}"
    assert (unit()["DynamicUser"], unit()["ProtectSystem"], unit()["NoNewPrivileges"]) == (
        "yes",
        "strict",
        "yes",
    )


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_unit_and_finds_it_well_protected(tmp_path: Path) -> None:
    there = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    there.write_text(text.replace(shlex.split(unit()["ExecStart"])[0], shutil.which("true") or ""))
    verified = subprocess.run(
        ["systemd-analyze", "verify", there], capture_output=True, text=True, check=False
    )
    assert [line for line in verified.stderr.splitlines() if UNIT.name in line] == []
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", there], capture_output=True, text=True, check=False
    )
    found = re.search(r"exposure level for \S+: ([\d.]+)", rated.stdout)
    if found is None:
        pytest.skip("this systemd-analyze cannot rate a unit that is not loaded")
    assert float(found[1]) <= MAX_EXPOSURE
