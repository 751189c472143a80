# SPDX-License-Identifier: MIT
"""One run of the bench: its folder, the servers it measures, and how they are configured."""
import json
import os
import shutil
import subprocess

from postgres import Postgres
from processes import HERE, ROOT, Failure, Server, free_port

SECRET = "for-measurements-only-0123456789abcdef"


class Lab:
    """One run: its folder and its servers."""

    def __init__(self, folder, build):
        self.folder, self.build, self.servers = folder, build, []
        self.named = {}

    def path(self, name):
        return os.path.join(self.folder, name)

    def backplane(self, name, workers=1, url=None, cached=True, without=(), environment=None, events=None):
        """The shipped configuration as in production, limits out of the way, JSON access log to a file, and tests/bench/noop.c.
        On SQLite, or on the Postgres database of this URL. cached: lists may come from the cache. without: stages left out of their pipeline.
        events: options of the plugin of that name."""
        config = self.path("config-" + name)
        if not os.path.isdir(config):
            shutil.copytree(os.path.join(ROOT, "config"), config)
            with open(os.path.join(config, "plugins", "bench.cfg"), "w", encoding="ascii") as out:
                out.write(bench_config(os.path.join(self.build, "tests", "bench"), cached, without))
            if events:
                add_options(os.path.join(config, "backplane.cfg"), "events", events)
        port = free_port()
        env = {"PATH": os.environ["PATH"], "PORT": str(port), "BACKPLANE_DATA": self.path("data-" + name),
               "BACKPLANE_WORKERS": str(workers), "NODE_ENV": "production", "RATE_LIMIT_MAX_REQUESTS": "1000000000",
               "JWT_SECRET": SECRET, **(environment or {})}
        program, settings = os.path.join(self.build, "backplane"), ["-c", os.path.join(config, "backplane.cfg")]
        if url:
            env["DATABASE_URL"] = url
            done = subprocess.run([program, "migrate", "up", *settings], env=env, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise Failure(f"migrate: {done.stdout}{done.stderr}")
        return self._add(Server([program, "run", *settings], port, self.path(name + ".log"), env))

    def fastify(self, name, url):
        """The peer with the same API on the same database; it knows the same tokens."""
        folder = os.path.join(HERE, "peers", "fastify")
        install_packages(folder)
        port = free_port()
        env = {"PATH": os.environ["PATH"], "NODE_ENV": "production", "PORT": str(port), "DATABASE_URL": url, "JWT_SECRET": SECRET}
        return self._add(Server(["node", os.path.join(folder, "server.mjs")], port, self.path(name + ".log"), env))

    def postgres(self):
        """One cluster for all rows that want one."""
        return self.shared("postgres", lambda: self._add(Postgres(self.path("postgres.log"))))

    def nginx(self, name, reply, log):
        """nginx with one worker answering everything with the same body and fields as `reply`."""
        port = free_port()
        path = self.path(name + ".conf")
        with open(path, "w", encoding="ascii") as out:
            out.write(nginx_config(self.path(name), port, reply, log))
        return self._add(Server(["nginx", "-c", path, "-e", self.path(name + ".error")], port, self.path(name + ".out")))

    def collector(self):
        """What takes spans and answers 200, whatever they say."""
        def make():
            reply = (200, [("content-type", "application/x-protobuf")], b"")
            server = self.nginx("collector", reply, False)
            server.await_answer("/")
            return server
        return self.shared("collector", make)

    def _add(self, server):
        self.servers.append(server)
        return server

    def shared(self, name, make):
        """A server that several rows use: made for the first."""
        if name not in self.named:
            self.named[name] = make()
        return self.named[name]

    def stop(self):
        for server in reversed(self.servers):
            server.stop()
        self.servers, self.named = [], {}


def install_packages(folder):
    """What the lock file says, unless it is there already."""
    lock, done_before = os.path.join(folder, "package-lock.json"), os.path.join(folder, "node_modules", ".package-lock.json")
    if os.path.exists(done_before) and os.path.getmtime(done_before) >= os.path.getmtime(lock):
        return
    for program in ("node", "npm"):
        if not shutil.which(program):
            raise Failure(f"{program} is not installed (Node.js 20 or later)")
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"npm ci: {done.stderr}")


def add_options(file, plugin, options):
    with open(file, encoding="utf-8") as found:
        text = found.read()
    entry = f'{{ use = "{plugin}";'
    if text.count(entry) != 1:
        raise Failure(f"{file}: no entry of the plugin {plugin}")
    with open(file, "w", encoding="utf-8") as out:
        out.write(text.replace(entry, f"{entry} {options}"))


def bench_config(plugin_path, cached, without=()):
    pipelines, routes = ["bare = ();"], ['{ match = "/bench/small"; pipeline = "bare"; }']
    without = [*without] if cached else [*without, "cache"]
    if without:
        pipelines.append('less = ( "@api", ' + ", ".join(f'"-{stage}"' for stage in without) + ' );')
        routes.append('{ match = "/api/v1/todos"; pipeline = "less"; }')
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
        value = value.replace('"', '\\"')  # an ETag has quotes
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
