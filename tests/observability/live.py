#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: with_services postgres redis -- live.py BACKPLANE SOURCE_ROOT

A real Prometheus scrapes two real servers, one on SQLite, one on Postgres and Redis, while every route is asked. Then every expression of every dashboard
and every rule is asked of Prometheus: it gives data, or is listed in HEALTHY as what has none while nothing is wrong. One line of TAP for each check."""
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

BACKPLANE, ROOT = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
CONFIGURATION = ROOT / "config/backplane.cfg"
SECRET = "a-secret-of-the-tests-0123456789abcdef"
PASSWORD = "Correct-horse-1"
PATIENCE = 45
# (dashboard, panel, legend): what has no series while nothing is wrong.
HEALTHY = {
    ("routes", "Failures (5xx)", "{{http_route}} {{http_response_status_code}}"),
    ("database", "Redis failures and new connections", "{{reason}}"),
    ("limits", "Limits without their store", "{{stage}}: {{reason}}"),
}
FROM_ELSEWHERE = re.compile(r"kube_|up$|scrape_")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def until(condition, what):
    """Asks again and again; what() says why it is not so."""
    end = time.monotonic() + PATIENCE
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"never: {what() if callable(what) else what}"
        time.sleep(0.2)


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes whatever is sent."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):  # pylint: disable=invalid-name
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


class Server:
    def __init__(self, folder, collector, **variables):
        self.port, self.metrics = free_port(), free_port()
        self.environment = {
            "PATH": os.environ["PATH"], "NODE_ENV": "dev", "HOST": "127.0.0.1", "PORT": str(self.port), "METRICS_LISTEN": f"127.0.0.1:{self.metrics}",
            "JWT_SECRET": SECRET, "BACKPLANE_DATA": str(folder), "BACKPLANE_WORKERS": "2", "RATE_LIMIT_MAX_REQUESTS": "1000000", "HTTP_CLIENT": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector}", "OTEL_BSP_SCHEDULE_DELAY": "500"} | variables
        if "DATABASE_URL" in variables:
            self.command("migrate", "up")
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([BACKPLANE, "-c", CONFIGURATION, "run"], env=self.environment, stdout=log, stderr=log)
        until(lambda: self.ask("GET", "/health/ready")[0] == 200, lambda: f"ready: {self.log.read_text()[-2000:]}")

    def command(self, *arguments):
        done = subprocess.run([BACKPLANE, "-c", CONFIGURATION, *arguments], env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, method, path, body=None, token=None, **fields):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Content-Type": "application/json"} | fields | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            reply = connection.getresponse()
            text = reply.read()
            return reply.status, json.loads(text) if text[:1] == b"{" else {}
        except (OSError, http.client.HTTPException):
            return 0, {}
        finally:
            connection.close()

    def account(self, email):
        assert self.ask("POST", "/api/v1/auth/sign-up", {"email": email, "password": PASSWORD})[0] in (201, 409)
        status, reply = self.ask("POST", "/api/v1/auth/login", {"email": email, "password": PASSWORD})
        assert status == 200, reply
        return reply["token"]

    def routes(self):
        """[(method, path)] of what it serves on its main listener."""
        lines = [line.split() for line in self.command("routes").splitlines()[1:]]
        return [(line[0], line[1]) for line in lines if line[1] != "/metrics"]


class Load(threading.Thread):
    """Asks every route, and those of todos as clients do, until it is told to end."""
    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.over, self.seen, self.problem = server, threading.Event(), {}, None

    def run(self):
        try:
            token = self.server.account("ada@example.com")
            routes, turn = self.server.routes(), 0
            while not self.over.is_set():
                if turn % 10 == 0:
                    self.every_route(routes, turn)
                self.as_clients_do(token, turn)
                turn += 1
        except (AssertionError, KeyError) as problem:
            self.problem = problem

    def every_route(self, routes, turn):
        """With a body that no route wants, and the token of an account that some of them delete."""
        victim = self.server.account(f"victim{turn}@example.com")
        for method, path in routes:
            status, _ = self.server.ask(method, path.replace("{id}", "00000000-0000-7000-8000-000000000000"),
                                        {} if method not in ("GET", "DELETE") else None, victim)
            self.seen[(method, path)] = status

    def as_clients_do(self, token, turn):
        ask = self.server.ask
        status, reply = ask("POST", "/api/v1/todos", {"title": f"Todo {turn}"}, token, **{"Idempotency-Key": f"key-{turn}"})
        assert status == 201, reply
        ask("POST", "/api/v1/todos", {"title": f"Todo {turn}"}, token, **{"Idempotency-Key": f"key-{turn}"})
        path = f"/api/v1/todos/{reply['data']['id']}"
        for _ in range(3):
            assert ask("GET", "/api/v1/todos", None, token)[0] == 200
            ask("GET", path, None, token)
        ask("PATCH", path, {"completed": True}, token)
        ask("DELETE", path, None, token)
        for wrong in ("/api/v1/todos", "/api/v1/lists", "/nowhere", "/health/live", "/health/ready"):
            ask("GET", wrong)


class Prometheus:
    def __init__(self, folder, targets):
        self.port, self.log = free_port(), folder / "log"
        folder.mkdir()
        settings = yaml.safe_load((ROOT / "docker/prometheus/prometheus.yml").read_text())
        settings["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        del settings["alerting"]
        settings["scrape_configs"] = [job for job in settings["scrape_configs"] if job["job_name"] == "todo-backend"]
        settings["scrape_configs"][0]["static_configs"] = [{"targets": targets}]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
        for name in settings["rule_files"]:
            shutil.copy(ROOT / "docker/prometheus" / name, folder)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{self.port}",
                 "--enable-feature=exemplar-storage"], stdout=log, stderr=log)
        until(self.ready, lambda: f"Prometheus is ready: {self.log.read_text()[-2000:]}")

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False

    def get(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters, doseq=True)}"
        try:
            with urllib.request.urlopen(url, timeout=20) as reply:
                return json.load(reply)["data"]
        except urllib.error.HTTPError as problem:
            raise AssertionError(f"{parameters}: {problem.read().decode()}") from problem

    def query(self, expression):
        return self.get("query", query=expression)["result"]


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
    return [(name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", matchers))) for name, matchers in re.findall(r"([a-zA-Z_:][\w:]*)\{([^{}]*)\}", expression)]


def defined(environments):
    """The names that `backplane metrics` lists, as series have them."""
    names = set()
    for environment in environments:
        done = subprocess.run([BACKPLANE, "-c", CONFIGURATION, "metrics", "--markdown"], env=environment, capture_output=True, text=True, check=True)
        for name, kind in re.findall(r"^\| `(\w+)` \| (\w+) \|", done.stdout, re.M):
            names |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    return names


class World:
    def __init__(self, folder):
        self.collector = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
        threading.Thread(target=self.collector.serve_forever, daemon=True).start()
        port = self.collector.server_address[1]
        url = os.environ["TEST_POSTGRES_URL"]
        subprocess.run(["psql", url, "-qc", "CREATE DATABASE observed"], check=True)
        self.servers = [Server(folder / "sqlite", port),
                        Server(folder / "postgres", port, DATABASE_URL=re.sub(r"/[^/?]*(\?|$)", r"/observed\1", url, count=1) if False else url.rsplit("/", 1)[0] + "/observed",
                               REDIS_URL=os.environ["TEST_REDIS_URL"])]
        self.loads = [Load(server) for server in self.servers]
        for load in self.loads:
            load.start()
        self.prometheus = Prometheus(folder / "prometheus", [f"127.0.0.1:{server.metrics}" for server in self.servers])

    def end(self):
        for load in self.loads:
            load.over.set()
        for load in self.loads:
            load.join(30)
        for process in [self.prometheus.process, *(server.process for server in self.servers)]:
            process.terminate()
        for process in [self.prometheus.process, *(server.process for server in self.servers)]:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.collector.shutdown()


def every_server_is_scraped(world):
    until(lambda: len(world.prometheus.query('up{job="todo-backend"} == 1')) == 2,
          lambda: [(target["scrapeUrl"], target["lastError"]) for target in world.prometheus.get("targets")["activeTargets"]])


def every_route_was_asked(world):
    for load in world.loads:
        routes = load.server.routes()
        until(lambda load=load, routes=routes: load.problem or set(routes) <= set(load.seen), "every route was asked")
        assert not load.problem, load.problem
        assert not {route: status for route, status in load.seen.items() if status >= 500 or status == 0}, load.seen


def names_are_those_that_the_server_defines(world):
    names = defined([server.environment for server in world.servers])
    assert len(names) > 40, names
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    asked = {name for *_, expression in targets() for name, _ in selectors(expression)} | {name for rule in rules() for name, _ in selectors(rule["expr"])}
    unknown = [name for name in sorted(asked) if name not in names | recorded and not FROM_ELSEWHERE.match(name)]
    assert not unknown, unknown
    missing = names - asked - {name for name in names if name.endswith(("_sum", "_count", "_bucket"))}
    assert not missing, f"on no dashboard: {missing}"


def every_query_of_a_dashboard_gives_data(world):
    waiting = list(targets())
    assert len(waiting) > 60, len(waiting)
    for where in HEALTHY:
        assert where in {target[:3] for target in waiting}, f"there is no {where}"
    problems = {}

    def left():
        for target in list(waiting):
            found = world.prometheus.query(as_asked(target[3]))
            if target[:3] in HEALTHY or any(result["value"][1] != "NaN" for result in found):
                waiting.remove(target)
            else:
                problems[target[:3]] = (as_asked(target[3]), found)
        return not waiting

    until(left, lambda: {target[:3]: problems[target[:3]] for target in waiting})


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
    for name in ("http_server_request_duration_seconds_bucket", "db_client_operation_duration_seconds_bucket"):
        found = until(lambda name=name: world.prometheus.get("query_exemplars", query=f'{name}{{job="todo-backend"}}', start=time.time() - 60, end=time.time()),
                      f"exemplars of {name}")
        traces = {exemplar["labels"]["trace_id"] for series in found for exemplar in series["exemplars"]}
        assert traces and all(re.fullmatch("[0-9a-f]{32}", trace) for trace in traces), traces


CHECKS = [every_server_is_scraped, names_are_those_that_the_server_defines, every_route_was_asked, every_query_of_a_dashboard_gives_data, variables_have_values,
          rules_are_evaluated, alerts_select_series_that_there_are, points_lead_to_traces]


def main():
    if not shutil.which("prometheus"):
        print("1..0 # SKIP no prometheus")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        world = World(pathlib.Path(folder))
        try:
            for number, check in enumerate(CHECKS, 1):
                try:
                    check(world)
                    print(f"ok {number} - {check.__name__}", flush=True)
                except (AssertionError, KeyError, OSError) as problem:
                    failed += 1
                    print(f"not ok {number} - {check.__name__}\n# {problem!r}", flush=True)
        finally:
            world.end()
    print(f"1..{len(CHECKS)}")
    return 1 if failed else 0


sys.exit(main())
