# SPDX-License-Identifier: MIT
"""Two real servers under load, a real Prometheus that scrapes them with the shipped settings, and somebody who takes their spans."""
import http.client
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

SECRET = "a-secret-of-the-tests-0123456789abcdef"
PASSWORD = "Correct-horse-1"
NOBODY = "00000000-0000-7000-8000-000000000000"
PATIENCE = 45


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def until(condition, what):
    """Asks again and again; what says what is not so."""
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

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):  # pylint: disable=arguments-differ
        pass


class Server:
    def __init__(self, program, configuration, folder, collector, **variables):
        self.port, self.metrics = free_port(), free_port()
        self.program = [program, "-c", configuration]
        self.environment = {
            "PATH": os.environ["PATH"], "NODE_ENV": "dev", "HOST": "127.0.0.1", "PORT": str(self.port), "METRICS_LISTEN": f"127.0.0.1:{self.metrics}",
            "WEBHOOKS": "1", "WEBHOOKS_PRIVATE_NETWORKS": "127.0.0.0/8",
            "JWT_SECRET": SECRET, "BACKPLANE_DATA": str(folder), "BACKPLANE_WORKERS": "2", "RATE_LIMIT_MAX_REQUESTS": "1000000", "HTTP_CLIENT": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector}", "OTEL_BSP_SCHEDULE_DELAY": "500",
            "OTEL_METRICS_EXPORTER": "otlp", "OTEL_METRIC_EXPORT_INTERVAL": "1000", "OTEL_LOGS_EXPORTER": "otlp"} | variables
        folder.mkdir()
        if "DATABASE_URL" in variables:
            self.command("migrate", "up")
        self.log = folder / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*self.program, "run"], env=self.environment, stdout=log, stderr=log)
        until(lambda: self.ask("GET", "/health/ready")[0] == 200, lambda: f"ready: {self.log.read_text()[-2000:]}")

    def command(self, *arguments):
        done = subprocess.run([*self.program, *arguments], env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, method, path, body=None, token=None, **fields):
        """(status, body); status 0 without a reply. Of a stream, which does not end, no more than that it began."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Content-Type": "application/json"} | fields | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            reply = connection.getresponse()
            text = reply.readline() if reply.getheader("Content-Type", "").startswith("text/event-stream") else reply.read()
            return reply.status, json.loads(text) if text[:1] == b"{" else {}
        except (OSError, http.client.HTTPException):
            return 0, {}
        finally:
            connection.close()

    def account(self, email):
        status, reply = self.ask("POST", "/api/v1/auth/sign-up", {"email": email, "password": PASSWORD})
        assert status == 201, reply
        status, reply = self.ask("POST", "/api/v1/auth/login", {"email": email, "password": PASSWORD})
        assert status == 200, reply
        return reply["token"]

    def routes(self):
        """[(method, path)] of what is on its main listener."""
        lines = [line.split() for line in self.command("routes").splitlines()[1:]]
        return [(line[0], line[1]) for line in lines if line[1] != "/metrics"]


class Load(threading.Thread):
    """Asks every route, and those of todos as clients do, until it is told to end."""
    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.over, self.seen, self.problem = server, threading.Event(), {}, None

    def run(self):
        try:
            token, routes, turn = self.server.account("ada@example.com"), self.server.routes(), 0
            status, reply = self.server.ask("POST", "/api/v1/webhooks", {"url": f"{self.server.environment['OTEL_EXPORTER_OTLP_ENDPOINT']}/webhook"}, token)
            assert status == 201, reply
            while not self.over.is_set():
                if turn % 20 == 0:
                    self.every_route(routes, turn)
                if turn % 5 == 0:
                    self.forget_a_password(turn)
                self.as_clients_do(token, turn)
                turn += 1
                self.over.wait(0.1)
        except (AssertionError, KeyError) as problem:
            self.problem = problem

    def every_route(self, routes, turn):
        """With a body that no route wants, and the token of an account that one of them deletes."""
        victim = self.server.account(f"victim{turn}@example.com")
        for method, path in routes:
            body = {} if method not in ("GET", "DELETE") else None
            self.seen[(method, path)], _ = self.server.ask(method, path.replace("{id}", NOBODY), body, victim)

    def forget_a_password(self, turn):
        """A job sends the message; one to each account, because further ones would have to wait."""
        email = f"forgetful{turn}@example.com"
        self.server.account(email)
        status, reply = self.server.ask("POST", "/api/v1/auth/password/forgot", {"email": email})
        assert status == 202, reply

    def as_clients_do(self, token, turn):
        ask, key = self.server.ask, {"Idempotency-Key": f"a-key-of-turn-{turn}"}
        status, reply = ask("POST", "/api/v1/todos", {"title": f"Todo {turn}"}, token, **key)
        assert status == 201, reply
        ask("POST", "/api/v1/todos", {"title": f"Todo {turn}"}, token, **key)
        path = f"/api/v1/todos/{reply['data']['id']}"
        for _ in range(3):
            status, reply = ask("GET", "/api/v1/todos", None, token)
            assert status == 200, reply
            ask("GET", path, None, token)
        ask("PATCH", path, {"completed": True}, token)
        ask("DELETE", path, None, token)
        for other in ("/api/v1/todos", "/api/v1/lists", "/nowhere", "/health/live", "/health/ready"):
            ask("GET", other)


class Prometheus:
    def __init__(self, settings, folder, targets):
        self.port, self.log = free_port(), folder / "log"
        folder.mkdir()
        shipped = yaml.safe_load((settings / "prometheus.yml").read_text())
        shipped["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        del shipped["alerting"]
        shipped["scrape_configs"] = [job | {"static_configs": [one | {"targets": targets} for one in job["static_configs"]], "dns_sd_configs": []}
                                     for job in shipped["scrape_configs"] if job["job_name"] == "todo-backend"]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(shipped))
        for name in shipped["rule_files"]:
            shutil.copy(settings / name, folder)
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
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=20) as reply:
                return json.load(reply)["data"]
        except urllib.error.HTTPError as problem:
            raise AssertionError(f"{parameters}: {problem.read().decode()}") from problem

    def query(self, expression):
        return self.get("query", query=expression)["result"]


class World:
    def __init__(self, program, root, folder):
        self.collector = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
        threading.Thread(target=self.collector.serve_forever, daemon=True).start()
        self.servers, self.loads, self.prometheus = [], [], None
        postgres = os.environ["TEST_POSTGRES_URL"]
        subprocess.run(["psql", postgres, "-qc", "CREATE DATABASE observed"], check=True)
        databases = {"sqlite": {}, "postgres": {"DATABASE_URL": postgres.rsplit("/", 1)[0] + "/observed", "REDIS_URL": os.environ["TEST_REDIS_URL"]}}
        try:
            for name, variables in databases.items():
                self.servers.append(Server(program, root / "config/backplane.cfg", folder / name, self.collector.server_address[1], **variables))
            self.prometheus = Prometheus(root / "docker/prometheus", folder / "prometheus", [f"127.0.0.1:{server.metrics}" for server in self.servers])
            self.loads = [Load(server) for server in self.servers]
            for load in self.loads:
                load.start()
        except BaseException:
            self.end()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.end()

    def end(self):
        for load in self.loads:
            load.over.set()
        for load in self.loads:
            load.join(30)
        processes = [server.process for server in self.servers] + ([self.prometheus.process] if self.prometheus else [])
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.collector.shutdown()
