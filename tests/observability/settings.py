#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: settings.py SOURCE_ROOT      Checks what docker/ holds for Prometheus, Alertmanager, the Collector, Tempo and Grafana, without running them.

One line of TAP for each check."""
import importlib.machinery
import importlib.util
import json
import pathlib
import re
import subprocess
import sys

import yaml

sys.dont_write_bytecode = True

ROOT = pathlib.Path(sys.argv[1])
DOCKER = ROOT / "docker"
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def read(path):
    return yaml.safe_load((DOCKER / path).read_text())


def succeeds(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def rules(*names):
    for name in names or ("recording", "alerts", "kubernetes"):
        for group in read(f"prometheus/{name}.yaml")["groups"]:
            yield from group["rules"]


def alerts():
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def dashboards():
    return {path.stem: json.loads(path.read_text()) for path in sorted((DOCKER / "grafana/dashboards").glob("*.json"))}


def links():
    """The module that follows the documents' links."""
    path = str(ROOT / "tests/lint/links")
    loader = importlib.machinery.SourceFileLoader("links", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("links", loader))
    loader.exec_module(module)
    return module


def services():
    """Of both files, and the ports that each listens on within their network."""
    both = read("compose.yaml")["services"] | {}
    for name, service in read("compose.observability.yaml")["services"].items():
        both[name] = both.get(name, {}) | service
    return both


@check
def prometheus_accepts_its_settings():
    succeeds("promtool", "check", "config", DOCKER / "prometheus/prometheus.yml")
    succeeds("promtool", "check", "rules", *(DOCKER / f"prometheus/{name}.yaml" for name in ("recording", "alerts", "kubernetes")))


@check
def alerts_fire_when_they_shall():
    succeeds("promtool", "test", "rules", DOCKER / "prometheus/tests.yaml")


@check
def every_alert_is_seen_firing_by_a_test():
    fired = {case["alertname"] for test in read("prometheus/tests.yaml")["tests"] for case in test.get("alert_rule_test", []) if case["exp_alerts"]}
    assert fired == set(alerts()), fired ^ set(alerts())


@check
def alertmanager_accepts_its_settings():
    succeeds("amtool", "check-config", DOCKER / "alertmanager/alertmanager.yml")
    names = set(re.findall(r"TodoBackend[A-Z]\w+", (DOCKER / "alertmanager/alertmanager.yml").read_text()))
    assert names and names <= set(alerts()), names - set(alerts())


@check
def every_alert_says_how_bad_it_is_and_what_to_do():
    documents, module = {}, links()
    for name, rule in alerts().items():
        assert rule["labels"]["severity"] in ("critical", "warning"), name
        assert rule["annotations"]["summary"], name
        path, heading = rule["annotations"]["runbook"].split("#")
        if path not in documents:
            documents[path] = module.Documents().anchors(str(ROOT / path))
        assert heading in documents[path], f"{path} has no #{heading}"


@check
def every_runbook_is_of_an_alert():
    headings = set(re.findall(r"^### (TodoBackend\w+)$", (ROOT / "docs/observability.md").read_text(), re.M))
    assert headings == set(alerts()), headings ^ set(alerts())


@check
def generated_files_are_up_to_date():
    succeeds(DOCKER / "grafana/generate", "--check")


@check
def the_cluster_has_the_same_rules():
    groups = [group for name in ("recording", "alerts", "kubernetes") for group in read(f"prometheus/{name}.yaml")["groups"]]
    there = yaml.safe_load((ROOT / "k8s/overlays/observability/rules.yaml").read_text())["spec"]["groups"]
    without = json.loads(json.dumps(there).replace('namespace=\\"todo-backend\\",job=', "job="))
    assert without == groups
    for group in there:
        for rule in group["rules"]:
            assert "namespace" in rule["expr"], rule


@check
def panels_say_what_they_show():
    for name, dashboard in dashboards().items():
        assert dashboard["uid"] == f"todo-backend-{name}"
        assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"]), name
        for panel in dashboard["panels"]:
            assert panel["description"].endswith((".", "?")) and panel["fieldConfig"]["defaults"]["unit"], f"{name}: {panel['title']}"
            assert panel["targets"] and all(target["expr"] for target in panel["targets"]), f"{name}: {panel['title']}"
            unknown = set(re.findall(r"TodoBackend[A-Z]\w+", panel["description"])) - set(alerts())
            assert not unknown, f"{name}: {panel['title']}: {unknown}"


@check
def panels_do_not_overlap():
    for name, dashboard in dashboards().items():
        taken = set()
        for panel in dashboard["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            assert at["x"] + at["w"] <= 24 and not cells & taken, f"{name}: {panel['title']}"
            taken |= cells


@check
def dashboards_lead_to_each_other_and_to_traces():
    found = dashboards()
    sources = {source["uid"] for source in read("grafana/provisioning/datasources/datasources.yaml")["datasources"]}
    for name, dashboard in found.items():
        urls = {link["url"] for link in dashboard["links"]}
        assert {f"/d/{other['uid']}" for other in found.values() if other is not dashboard} <= urls, name
        traces = [link["url"] for link in dashboard["links"] if link["title"] == "traces"]
        assert len(traces) == 1 and "%22datasource%22:%22tempo%22" in traces[0] and "tempo" in sources, traces
        for variable in dashboard["templating"]["list"]:
            assert variable["name"] in ("datasource", "job", "instance", "route"), variable["name"]
        used = set(re.findall(r"\$\{?(\w+)", json.dumps(dashboard))) - {"__rate_interval", "__all", "labels"}
        assert used <= {variable["name"] for variable in dashboard["templating"]["list"]}, f"{name}: {used}"


@check
def kubernetes_has_every_dashboard():
    settings = yaml.safe_load((DOCKER / "grafana/dashboards/kustomization.yaml").read_text())
    assert {file for generator in settings["configMapGenerator"] for file in generator["files"]} == {f"{name}.json" for name in dashboards()}


@check
def what_is_mounted_is_there():
    for name, service in read("compose.observability.yaml")["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (DOCKER / source).exists() if source.startswith(".") else source in read("compose.observability.yaml")["volumes"], f"{name}: {source}"
        for argument in service.get("command", []):
            if "config" in argument:  # below the folder that is mounted
                path = argument.split("=")[1]
                mounted = {volume.split(":")[1]: volume.split(":")[0] for volume in service["volumes"]}
                folder = str(pathlib.PurePath(path).parent)
                assert (DOCKER / mounted[folder] / pathlib.PurePath(path).name).exists(), argument


@check
def everything_meets_where_it_listens():
    collector, tempo = read("otel-collector/config.yaml"), read("tempo/tempo.yaml")
    listening = {
        f"server:{services()['server']['environment']['METRICS_LISTEN'].split(':')[1]}",
        f"jobs:{services()['jobs']['environment']['METRICS_LISTEN'].split(':')[1]}",
        f"otel-collector:{collector['receivers']['otlp']['protocols']['http']['endpoint'].split(':')[1]}",
        f"otel-collector:{collector['service']['telemetry']['metrics']['address'].split(':')[1]}",
        f"tempo:{tempo['distributor']['receivers']['otlp']['protocols']['grpc']['endpoint'].split(':')[1]}",
        f"tempo:{tempo['server']['http_listen_port']}", "prometheus:9090", "alertmanager:9093", "127.0.0.1:9090"}
    asked = {services()["server"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"].removeprefix("http://"), collector["exporters"]["otlp/tempo"]["endpoint"]}
    asked |= {source["url"].removeprefix("http://") for source in read("grafana/provisioning/datasources/datasources.yaml")["datasources"]}
    settings = read("prometheus/prometheus.yml")
    asked |= {target for job in settings["scrape_configs"] for one in job["static_configs"] for target in one["targets"]}
    asked |= {f"{name}:{one['port']}" for job in settings["scrape_configs"] for one in job.get("dns_sd_configs", []) for name in one["names"]}
    asked |= {target for manager in settings["alerting"]["alertmanagers"] for one in manager["static_configs"] for target in one["targets"]}
    assert asked == listening, asked ^ listening
    for host in {place.split(":")[0] for place in asked} - {"127.0.0.1"}:
        assert host in services(), host


@check
def pipelines_of_the_collector_are_of_what_it_has():
    settings = read("otel-collector/config.yaml")
    for pipeline in settings["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= set(settings[kind]), pipeline
        assert pipeline["processors"][0] == "memory_limiter", "what is refused must be refused first"
    assert set(settings["service"]["extensions"]) == set(settings["extensions"])


@check
def only_this_machine_reaches_the_tools():
    for name, service in read("compose.observability.yaml")["services"].items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name}: {port}"
    assert services()["grafana"]["ports"] == ["127.0.0.1:3001:3000"]


def main():
    failed = 0
    for number, function in enumerate(CHECKS, 1):
        try:
            function()
            print(f"ok {number} - {function.__name__}")
        except (AssertionError, KeyError, OSError) as problem:
            failed += 1
            print(f"not ok {number} - {function.__name__}\n# {problem!r}")
    print(f"1..{len(CHECKS)}")
    return 1 if failed else 0


sys.exit(main())
