# SPDX-License-Identifier: MIT
"""Servers under measurement: started on one CPU, their CPU time and memory read from /proc, stopped at the end."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU, LOAD_CPU = str(CPUS[0]), str(CPUS[-1])
TICKS = os.sysconf("SC_CLK_TCK")


class Failure(Exception):
    """What makes a measurement worthless."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def process_tree(root):
    """The process and all that descend from it."""
    children = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as stat:
                parent = int(stat.read().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(entry))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


class Server:
    """A server and its port. `started` is what the time to the first answer is counted from."""

    def __init__(self, command, port, log, env=None):
        self.port, self.log = port, log
        with open(log, "ab") as out:
            self.started = time.perf_counter()
            self.process = subprocess.Popen(["taskset", "-c", SERVER_CPU, *command], stdout=out, stderr=out,
                                            stdin=subprocess.DEVNULL, env=env, start_new_session=True)

    def request(self, method, path, body=None, headers=None, timeout=10):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.getheaders(), reply.read()
        finally:
            connection.close()

    def await_answer(self, path):
        """Seconds from the start to the first 200."""
        give_up = self.started + 20
        while time.perf_counter() < give_up:
            if self.process.poll() is not None:
                break
            try:
                if self.request("GET", path)[0] == 200:
                    return time.perf_counter() - self.started
            except OSError:
                pass
            time.sleep(0.0005)
        with open(self.log, encoding="utf-8", errors="replace") as log:
            raise Failure(f"{self.process.args[3]} did not start:\n{log.read()[-2000:]}")

    def cpu_seconds(self):
        """User and system time of all its processes."""
        total = 0
        for pid in process_tree(self.process.pid):
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
                fields = stat.read().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def pss_bytes(self):
        """Proportional set size of all its processes."""
        total = 0
        for pid in process_tree(self.process.pid):
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
                total += next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        return total * 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Lab:
    """One run: its folder and its servers."""

    def __init__(self, folder, build):
        self.folder, self.build, self.servers = folder, build, []
        self.named = {}

    def path(self, name):
        return os.path.join(self.folder, name)

    def backplane(self, name, workers=1):
        """The shipped configuration as in production, limits out of the way, JSON access log to a file, and tests/bench/noop.c."""
        config = self.path("config-" + name)
        if not os.path.isdir(config):
            shutil.copytree(os.path.join(ROOT, "config"), config)
            with open(os.path.join(config, "plugins", "bench.cfg"), "w", encoding="ascii") as out:
                out.write(bench_config(os.path.join(self.build, "tests", "bench")))
        port = free_port()
        env = {"PATH": os.environ["PATH"], "PORT": str(port), "BACKPLANE_DATA": self.path("data-" + name),
               "BACKPLANE_WORKERS": str(workers), "NODE_ENV": "production", "RATE_LIMIT_MAX_REQUESTS": "1000000000",
               "JWT_SECRET": "for-measurements-only-0123456789abcdef"}
        command = [os.path.join(self.build, "backplane"), "run", "-c", os.path.join(config, "backplane.cfg")]
        return self._add(Server(command, port, self.path(name + ".log"), env))

    def nginx(self, name, reply, log):
        """nginx with one worker answering everything with the same body and fields as `reply`."""
        port = free_port()
        path = self.path(name + ".conf")
        with open(path, "w", encoding="ascii") as out:
            out.write(nginx_config(self.path(name), port, reply, log))
        return self._add(Server(["nginx", "-c", path, "-e", self.path(name + ".error")], port, self.path(name + ".out")))

    def _add(self, server):
        self.servers.append(server)
        return server

    def shared(self, name, make):
        """A server that several rows use: made for the first."""
        if name not in self.named:
            self.named[name] = make()
        return self.named[name]

    def stop(self):
        for server in self.servers:
            server.stop()
        self.servers, self.named = [], {}


def bench_config(plugin_path):
    pipelines, routes = ["bare = ();"], ['{ match = "/bench/small"; pipeline = "bare"; }']
    for count in (0, 1, 10, 25):
        stages = ", ".join(f'{{ use = "noop"; as = "noop_{count}_{n}"; }}' for n in range(count))
        pipelines.append(f"stages_{count} = ({stages});")
        routes.append(f'{{ match = "/bench/stages-{count}"; pipeline = "stages_{count}"; }}')
    return (f'server: {{ plugin_path = "{plugin_path}"; }};\nplugins: ( {{ use = "noop"; }} );\n'
            f'pipelines: {{ {" ".join(pipelines)} }};\nroutes: ( {", ".join(routes)} );\n')


def nginx_config(prefix, port, reply, log):
    _, headers, body = reply
    text = body.decode("utf-8")
    if "'" in text or "$" in text or "\\" in text or len(text) > 4000:
        raise Failure("nginx cannot be told to send this body")
    fields = []
    for name, value in headers:
        if name.lower() in ("date", "content-length", "content-type", "connection"):
            continue
        # nginx makes an identifier a request, too; it is 4 bytes shorter than a UUID.
        value = "0123$request_id" if name.lower() == "x-request-id" else value
        fields.append(f'            add_header {name} "{value}";')
    content_type = dict((name.lower(), value) for name, value in headers)["content-type"]
    log_format = json.dumps({"time": "$time_iso8601", "event": "http.access", "request_id": "$request_id",
                             "method": "$request_method", "target": "$request_uri", "route": "$uri", "status": "$status",
                             "duration_ms": "$request_time", "bytes": "$bytes_sent", "client": "$remote_addr",
                             "http_version": "$server_protocol", "user_agent": "$http_user_agent"}, separators=(",", ":"))
    access_log = f"{prefix}.access json buffer=64k flush=1s" if log else "off"
    return f"""worker_processes 1;
daemon off;
pid {prefix}.pid;
events {{ worker_connections 16384; }}
http {{
    server_tokens off;
    keepalive_requests 1000000000;
    log_format json escape=json '{log_format}';
    access_log {access_log};
    default_type '{content_type}';
    client_body_temp_path {prefix}.body; proxy_temp_path {prefix}.proxy; fastcgi_temp_path {prefix}.fastcgi;
    uwsgi_temp_path {prefix}.uwsgi; scgi_temp_path {prefix}.scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
{chr(10).join(fields)}
            return 200 '{text}';
        }}
    }}
}}
"""
