#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: with_services postgres redis -- live.py BACKPLANE SOURCE_ROOT

A real Prometheus scrapes two real servers, one on SQLite, one on Postgres and Redis, while every route is asked. Then every expression of every dashboard
and every rule is asked of Prometheus: it gives data, or is listed in HEALTHY as what has none while nothing is wrong. One line of TAP for each check."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import yaml

sys.dont_write_bytecode = True
from world import World, until  # pylint: disable=wrong-import-position

BACKPLANE, ROOT = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
# (dashboard, panel, legend): what has no series while nothing is wrong.
HEALTHY = {
    ("routes", "Failures (5xx)", "{{http_route}} {{http_response_status_code}}"),
    ("database", "Redis failures and new connections", "{{reason}}"),
    ("database", "Wait for a connection, 95 %", "{{db_client_connection_pool_name}}"),
    ("limits", "Limits without their store", "{{stage}}: {{reason}}"),
    ("jobs", "Failed runs by kind", "{{kind}}: {{outcome}}"),
}
FROM_ELSEWHERE = re.compile(r"kube_|up$|scrape_")


def dashboards():
    for path in sorted((ROOT / "docker/grafana/dashboards").glob("*.json")):
        yield path.stem, json.loads(path.read_text())


def targets():
    """(dashboard, panel, legend, expression) of all."""
    for name, dashboard in dashboards():
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                yield name, panel["title"], target["legendFormat"], target["expr"]


def as_asked(expression):
    """With the variables as they are when nothing was chosen."""
    for name, value in (("$__rate_interval", "10s"), ("$job", "todo-backend"), ("$instance", ".*"), ("$route", ".*")):
        expression = expression.replace(name, value)
    return expression


def rules():
    for name in ("recording", "alerts", "kubernetes"):
        for group in yaml.safe_load((ROOT / f"docker/prometheus/{name}.yaml").read_text())["groups"]:
            yield from group["rules"]


def selectors(expression):
    """[(metric, {label})] of what it selects."""
    return [(name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", matchers)))
            for name, matchers in re.findall(r"([a-zA-Z_:][\w:]*)\{([^{}]*)\}", expression)]


def defined(environments):
    """The names that `backplane metrics` lists, as series have them."""
    names = set()
    for environment in environments:
        done = subprocess.run([BACKPLANE, "-c", ROOT / "config/backplane.cfg", "metrics", "--markdown"], env=environment, capture_output=True, text=True, check=True)
        for name, kind in re.findall(r"^\| `(\w+)` \| (\w+) \|", done.stdout, re.M):
            names |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    return names


def every_server_is_scraped(world):
    until(lambda: len(world.prometheus.query('up{job="todo-backend"} == 1')) == 2,
          lambda: [(target["scrapeUrl"], target["lastError"]) for target in world.prometheus.get("targets")["activeTargets"]])


def every_route_was_asked(world):
    for load in world.loads:
        routes = set(load.server.routes())
        until(lambda load=load, routes=routes: load.problem or routes <= set(load.seen), "every route was asked")
        assert not load.problem, load.problem
        failed = {route: status for route, status in load.seen.items() if status >= 500 or status == 0}
        assert not failed, failed


def names_are_those_that_the_server_defines(world):
    names = defined([server.environment for server in world.servers])
    assert len(names) > 40, names
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    asked = {name for *_, expression in targets() for name, _ in selectors(expression)} | {name for rule in rules() for name, _ in selectors(rule["expr"])}
    unknown = [name for name in sorted(asked) if name not in names | recorded and not FROM_ELSEWHERE.match(name)]
    assert not unknown, unknown


def every_query_of_a_dashboard_gives_data(world):
    waiting = list(targets())
    assert len(waiting) > 60, len(waiting)
    for where in HEALTHY:
        assert where in {target[:3] for target in waiting}, f"there is no {where}"

    def left():
        for target in list(waiting):
            found = world.prometheus.query(as_asked(target[3]))
            if target[:3] in HEALTHY or any(result["value"][1] != "NaN" for result in found):
                waiting.remove(target)
        return not waiting

    until(left, lambda: [(*target[:3], as_asked(target[3])) for target in waiting])


def variables_have_values(world):
    for name, dashboard in dashboards():
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "datasource":
                continue
            selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"]).groups()
            values = world.prometheus.get(f"label/{label}/values", **{"match[]": as_asked(selector)})
            assert values, f"{name}: {variable['name']}"


def rules_are_evaluated(world):
    def evaluated():
        found = [rule for group in world.prometheus.get("rules")["groups"] for rule in group["rules"]]
        return found if all(rule["health"] != "unknown" for rule in found) else None

    found = until(evaluated, "every rule was evaluated")
    assert len(found) == sum(1 for rule in rules() if "kube_" not in rule["expr"]), len(found)
    for rule in found:
        assert rule["health"] == "ok", (rule["name"], rule.get("lastError"))
        if rule["type"] == "recording":
            until(lambda rule=rule: world.prometheus.query(rule["name"]), rule["name"])
    ill = [rule["name"] for rule in found if rule["type"] == "alerting" and rule["state"] == "firing"]
    assert not ill, ill


def alerts_select_series_that_there_are(world):
    """An alert is silent while all is well, and would be for a label that is not there."""
    for rule in rules():
        for name, labels in selectors(rule["expr"]):
            if name.startswith("kube_"):
                continue
            series = world.prometheus.get("series", **{"match[]": f'{name}{{job="todo-backend"}}'})
            assert series, f"{rule.get('alert')}: no {name}"
            unknown = labels - {label for one in series for label in one} - {"namespace"}
            assert not unknown, f"{rule.get('alert')}: {name} has no {unknown}"


def points_lead_to_traces(world):
    """By the exemplars that Prometheus has read."""
    series = '{job="todo-backend"}'
    found = until(lambda: world.prometheus.get("query_exemplars", query=f"http_server_request_duration_seconds_bucket{series}", start=time.time() - 60,
                                               end=time.time()), "exemplars")
    traces = {exemplar["labels"]["trace_id"] for one in found for exemplar in one["exemplars"]}
    assert traces and all(re.fullmatch("[0-9a-f]{32}", trace) for trace in traces), traces


CHECKS = [every_server_is_scraped, names_are_those_that_the_server_defines, every_route_was_asked, every_query_of_a_dashboard_gives_data,
          variables_have_values, rules_are_evaluated, alerts_select_series_that_there_are, points_lead_to_traces]


def main():
    if not shutil.which("prometheus"):
        print("1..0 # SKIP no prometheus")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory() as folder, World(BACKPLANE, ROOT, pathlib.Path(folder)) as world:
        for number, check in enumerate(CHECKS, 1):
            try:
                check(world)
                print(f"ok {number} - {check.__name__}", flush=True)
            except (AssertionError, KeyError, OSError) as problem:
                failed += 1
                print(f"not ok {number} - {check.__name__}\n# {problem!r}", flush=True)
    print(f"1..{len(CHECKS)}")
    return 1 if failed else 0


sys.exit(main())
