#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Checks docker/ without a container engine. usage: check.py SOURCE_ROOT      One line of TAP for each check.

That every key of the compose files is one of Compose's is checked by `docker-compose config` in ./dev lint."""
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(sys.argv[1])
INSTRUCTIONS = {"ARG", "FROM", "WORKDIR", "COPY", "RUN", "LABEL", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def read(path):
    return (ROOT / path).read_text()


def instructions(text):
    """[(name, arguments)], with continued lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines()]


DOCKERFILE = instructions(read("docker/Dockerfile"))
LAST_FROM = max(i for i, (name, _) in enumerate(DOCKERFILE) if name == "FROM")
FINAL = DOCKERFILE[LAST_FROM:]


def final(name):
    return [arguments for found, arguments in FINAL if found == name]


def compose(name):
    return yaml.safe_load(read(f"docker/{name}"))


def environment_of(service):
    return service.get("environment", {})


@check
def dockerfile_has_known_instructions():
    for name, _ in DOCKERFILE:
        assert name in INSTRUCTIONS, f"unknown or unwanted instruction {name}"
    assert "<<" not in read("docker/Dockerfile"), "here-documents: older builders do not know them"


@check
def base_is_an_argument():
    assert DOCKERFILE[0][0] == "ARG" and DOCKERFILE[0][1].startswith("BASE="), DOCKERFILE[0]
    sources = [arguments.split()[0] for name, arguments in DOCKERFILE if name == "FROM"]
    assert sources == ["${BASE}", "scratch"], sources


@check
def snapshot_has_no_default():
    arguments = [value for name, value in DOCKERFILE if name == "ARG" and value.startswith("SNAPSHOT")]
    assert arguments == ["SNAPSHOT"], arguments


@check
def nothing_runs_in_the_final_stage():
    assert not final("RUN"), "the final stage has no shell"


@check
def the_user_is_a_number():
    assert final("USER") == ["10001:10001"], final("USER")


@check
def commands_need_no_shell():
    for name in ("ENTRYPOINT", "CMD"):
        assert len(final(name)) == 1 and final(name)[0].startswith("["), f"{name} {final(name)}"
    assert final("ENTRYPOINT") == ['["/usr/bin/backplane"]'], final("ENTRYPOINT")
    health = final("HEALTHCHECK")
    assert len(health) == 1 and health[0].endswith('CMD ["/usr/bin/backplane", "health"]'), health


@check
def it_is_told_to_drain():
    assert final("STOPSIGNAL") == ["SIGTERM"], final("STOPSIGNAL")


@check
def the_environment_is_that_of_a_container():
    values = dict(re.findall(r"([A-Z_]+)=(\S+)", " ".join(final("ENV"))))
    assert values["HOST"] == "0.0.0.0" and values["NODE_ENV"] == "production", values
    assert final("VOLUME") == [values["BACKPLANE_DATA"]], final("VOLUME")
    assert final("EXPOSE") == [values["PORT"]], final("EXPOSE")


@check
def the_version_is_that_of_the_project():
    version = re.search(r"project\('backplane'.*?version: '([^']+)'", read("meson.build")).group(1)
    assert final("ARG").count(f"VERSION={version}") == 1, f"VERSION is not {version}"


@check
def labels_are_those_of_the_image_specification():
    known = {"authors", "url", "documentation", "source", "version", "revision", "vendor", "licenses", "title", "description"}
    names = re.findall(r"(\S+?)=\"", " ".join(final("LABEL")))
    assert names, "no labels"
    for name in names:
        assert name.removeprefix("org.opencontainers.image.") in known, f"label {name}"


@check
def what_is_copied_is_not_ignored():
    kept = [line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")]
    for name, arguments in DOCKERFILE[:LAST_FROM]:
        for source in arguments.split()[:-1] if name == "COPY" else []:
            assert source == "." or source in kept, f"{source} is not in the context"
    for path in kept:
        if "node_modules" not in path:
            assert (ROOT / path).exists(), f".dockerignore keeps {path}, which is not there"


def names_of_configuration():
    names = set()
    for path in (ROOT / "config").rglob("*.cfg"):
        for line in path.read_text().splitlines():
            names |= set(re.findall(r"\$\{([A-Z_][A-Z_0-9]*)", line.split("# ")[0]))
            for several in re.findall(r"(?:when|unless) = \"([A-Z_0-9 ]+)\"", line):
                names |= set(several.split())
    return names


@check
def environment_names_are_those_of_the_configuration():
    configured = names_of_configuration()
    given = set(re.findall(r"([A-Z_]+)=", " ".join(final("ENV"))))
    services = compose("compose.yaml")["services"]
    for name in ("migrate", "server", "jobs"):
        given |= set(environment_of(services[name]))
    for name in ("server", "jobs"):
        given |= set(environment_of(compose("compose.observability.yaml")["services"][name]))
    for name in sorted(given):
        assert name.removesuffix("_FILE") in configured, f"{name} is read by no file of config/"


@check
def environment_names_are_documented():
    documents = read("docs/configuration.md") + read("docs/docker.md")
    names = set(re.findall(r"([A-Z_]+)=", " ".join(final("ENV"))))
    for file in ("compose.yaml", "compose.test.yaml", "compose.observability.yaml"):
        text = read(f"docker/{file}")
        names |= set(re.findall(r"\$\{([A-Z_]+)", text))
    for name in sorted(names):
        assert re.search(rf"\b{name}\b", documents), f"{name} is in no document"


@check
def the_fewer_plugins_of_the_document_run_the_shipped_configuration():
    entries = re.findall(r'\{ use = "(\w+)";([^}]*)', read("config/backplane.cfg").split("pipelines:")[0].split("plugins:\n")[1])
    needed = {name for name, rest in entries if "when = " not in rest}
    named = set(re.search(r"PLUGINS=([a-z_,]+)$", read("docs/docker.md"), re.M).group(1).split(","))
    assert needed == named, f"needed and not named {needed - named}, named and not needed {named - needed}"


@check
def the_migration_ends_well_before_the_server_starts():
    services = compose("compose.yaml")["services"]
    assert services["migrate"]["command"] == ["migrate", "up"]
    assert services["migrate"]["restart"] == "no"
    needs = {name: value["condition"] for name, value in services["server"]["depends_on"].items()}
    assert needs == {"migrate": "service_completed_successfully", "postgres": "service_healthy", "redis": "service_healthy"}, needs
    for name in ("postgres", "redis"):
        assert "test" in services[name]["healthcheck"], name


@check
def the_server_can_write_to_its_volume_only():
    server = compose("compose.yaml")["services"]["server"]
    assert server["read_only"] is True and server["cap_drop"] == ["ALL"]
    assert [volume.split(":")[1] for volume in server["volumes"]] == final("VOLUME")


@check
def jobs_are_a_server_of_their_own_behind_a_profile():
    services = compose("compose.yaml")["services"]
    server, jobs = services["server"], services["jobs"]
    assert jobs["profiles"] == ["jobs"] and "profiles" not in server and "ports" not in jobs and "container_name" not in jobs
    assert environment_of(server)["JOB_WORKERS"] == "${JOB_WORKERS:-1}"
    own = {"BACKPLANE_WORKERS": 1, "JOB_WORKERS": 2, "DRAIN_TIMEOUT": "60s"}
    assert environment_of(jobs) == environment_of(server) | own, environment_of(jobs)
    same = set(server) - {"environment", "ports", "volumes", "stop_grace_period"}
    assert {key: jobs[key] for key in same} == {key: server[key] for key in same}
    # Not the server's folder: that is locked.
    assert "volumes" not in jobs and [mount.split(":")[0] for mount in jobs["tmpfs"]] == final("VOLUME")
    assert int(jobs["stop_grace_period"].removesuffix("s")) > int(own["DRAIN_TIMEOUT"].removesuffix("s"))
    observed = compose("compose.observability.yaml")["services"]
    assert environment_of(observed["jobs"]) == environment_of(observed["server"])


@check
def no_secret_has_a_default():
    for file in ("compose.yaml", "compose.observability.yaml"):
        for name, rest in re.findall(r"\$\{([A-Z_]*(?:SECRET|PASSWORD)[A-Z_]*)([^}]*)\}", read(f"docker/{file}")):
            assert rest.startswith(":?"), f"{file}: {name}{rest}"


@check
def stopping_waits_for_the_drain():
    server = compose("compose.yaml")["services"]["server"]
    drain = re.search(r"DRAIN_TIMEOUT:-(\d+)s", read("config/profiles/production.cfg")).group(1)
    assert int(server["stop_grace_period"].removesuffix("s")) > int(drain), server["stop_grace_period"]


SOURCES = """Types: deb
# http://snapshots.example/archive/debian/20250520T000000Z
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates

Types: deb
# http://snapshots.example/archive/debian-security/20250520T000000Z
URIs: http://mirror.example/debian-security
Suites: bookworm-security
"""


def use_snapshot(text, *arguments):
    with tempfile.NamedTemporaryFile("w+", suffix=".sources") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([ROOT / "docker/use-snapshot", *arguments], env={"PATH": "/usr/bin:/bin", "SOURCES": file.name},
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stderr, pathlib.Path(file.name).read_text()


@check
def a_snapshot_replaces_the_mirror():
    status, error, text = use_snapshot(SOURCES, "20261101T000000Z")
    assert status == 0, error
    assert re.findall(r"^URIs: (.*)$", text, re.M) == ["http://snapshots.example/archive/debian/20261101T000000Z",
                                                       "http://snapshots.example/archive/debian-security/20261101T000000Z"], text
    assert text.count("Check-Valid-Until: no") == 2 and text.count("Suites: ") == 2, text


@check
def without_a_snapshot_nothing_changes():
    assert use_snapshot(SOURCES, "") == (0, "", SOURCES)


@check
def a_wrong_snapshot_is_refused():
    for text, timestamp, reason in ((SOURCES, "2026-11-01", 'SNAPSHOT must be like 20261101T000000Z, is "2026-11-01"'),
                                    ("Types: deb\nURIs: http://mirror.example/debian\n", "20261101T000000Z", "does not say where snapshots are")):
        status, error, after = use_snapshot(text, timestamp)
        assert status == 1 and reason in error and after == text, (status, error)


def main():
    failed = 0
    for number, function in enumerate(CHECKS, 1):
        try:
            function()
            print(f"ok {number} - {function.__name__}")
        except (AssertionError, KeyError, AttributeError, OSError) as problem:
            failed += 1
            print(f"not ok {number} - {function.__name__}\n# {problem!r}")
    print(f"1..{len(CHECKS)}")
    sys.exit(1 if failed else 0)


main()
