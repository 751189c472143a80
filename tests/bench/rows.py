# SPDX-License-Identifier: MIT
"""The rows of the table: each measures one thing and says what it came to."""
import contextlib
import os
import json
import socket
import sqlite3
import statistics
import subprocess
import sys

import jobs
from load import CONNECTIONS, Load, interleave, median_ratio
from processes import SERVER_CPU, Failure
from streams import Clients

HERE = os.path.dirname(os.path.abspath(__file__))
DEPTH = 16
STAGES = (0, 1, 10, 25)
IDLE_CONNECTIONS = 10000
STREAMS, FIRST_STREAMS = 10000, 100  # the first fill what is kept for others
MIB = 1048576
JOBS = 50000
FOREIGN = (100, 1000000)
# Todos of other users, a hundred each, made at different times.
FOREIGN_TODOS = """
INSERT INTO users (id, email, password_hash, created_at, updated_at)
    SELECT gen_random_uuid(), 'other' || n || '@example.com', 'none', now(), now() FROM generate_series(1, {users}) n;
INSERT INTO todos (id, title, completed, user_id, created_at, updated_at)
    SELECT gen_random_uuid(), 'Water the plants', false, id, now() - n * interval '1 minute', now() FROM users, generate_series(1, {each}) n
    WHERE email LIKE 'other%';
"""
ACCOUNT = json.dumps({"email": "bench@example.com", "password": "Correct-horse-1"})
TODO = '{"title":"Water the plants"}'


class Result:
    """A measured value against its bar: below it when `at_most`, else above."""

    def __init__(self, name, what, value, bar, stretch, unit="", detail="", at_most=True):
        self.name, self.what, self.value, self.bar, self.stretch = name, what, value, bar, stretch
        self.unit, self.detail, self.at_most = unit, detail, at_most

    def verdict(self):
        def reached(bound):
            return self.value <= bound if self.at_most else self.value >= bound
        return "stretch" if reached(self.stretch) else "bar" if reached(self.bar) else "MISSED"


class Bench:
    """The rows share servers, a lab and how long rounds are."""

    def __init__(self, lab, rounds, seconds):
        self.lab, self.rounds, self.seconds = lab, rounds, seconds
        self.script = lab.path("wrk.lua")

    # --- servers ---

    def ready(self, server, path="/health/ready"):
        server.await_answer(path)
        return server

    def main(self):
        return self.lab.shared("main", lambda: self.ready(self.lab.backplane("main")))

    def signed_in(self, server):
        """An account, ten todos, and the fields that ask for them."""
        if not hasattr(server, "fields"):
            headers = {"Content-Type": "application/json"}
            server.request("POST", "/api/v1/auth/sign-up", ACCOUNT, headers)
            status, _, body = server.request("POST", "/api/v1/auth/login", ACCOUNT, headers)
            if status != 200:
                raise Failure(f"login: {status} {body!r}")
            server.fields = {"Authorization": "Bearer " + json.loads(body)["token"]}
            for _ in range(10):
                status, _, body = server.request("POST", "/api/v1/todos", TODO, {**headers, **server.fields})
                if status != 201:
                    raise Failure(f"create: {status} {body!r}")
        return server.fields

    def nginx_like(self, name, server, path, headers, log):
        def make():
            reply = server.request("GET", path, headers=headers)
            if reply[0] != 200:
                raise Failure(f"{path}: {reply[0]}")
            return self.ready(self.lab.nginx(name, reply, log), "/")
        return self.lab.shared(name, make)

    def interleave(self, loads):
        interleave(loads, self.rounds, self.seconds, self.script)

    def against_nginx(self, ours, theirs):
        self.interleave([ours, theirs])
        return median_ratio(ours.cpu, theirs.cpu), (f"{ours.cpu_median():.2f} to {theirs.cpu_median():.2f} µs; "
                                            f"{ours.rate_median():.0f} to {theirs.rate_median():.0f} req/s")

    # --- rows ---

    def small(self):
        server, path = self.main(), "/bench/small"
        nginx = self.nginx_like("nginx-small", server, path, {}, False)
        ratio, detail = self.against_nginx(Load(server, path), Load(nginx, path))
        yield Result("small", "small JSON, empty pipeline: CPU vs nginx without log", ratio, 1.0, 0.85, "×", detail)

    def list(self):
        server, path = self.main(), "/api/v1/todos"
        fields = self.signed_in(server)
        server.request("GET", path, headers=fields)  # a miss; nginx gets the fields of a hit
        nginx = self.nginx_like("nginx-list", server, path, fields, True)
        ratio, detail = self.against_nginx(Load(server, path, fields), Load(nginx, path, fields))
        found = dict((name.lower(), value) for name, value in server.request("GET", path, headers=fields)[1])
        if found.get("x-cache") != "HIT":
            raise Failure(f"{path}: not from the cache")
        yield Result("list", "cached authenticated list, whole chain with JSON log: CPU vs nginx with the same bytes, fields and log",
                     ratio, 0.85, 0.75, "×", detail)

    def chain(self):
        server, path = self.main(), "/api/v1/bench"
        fields = self.signed_in(server)
        nginx = self.nginx_like("nginx-chain", server, path, fields, True)
        ratio, detail = self.against_nginx(Load(server, path, fields), Load(nginx, path, fields))
        yield Result("chain", "the same chain around 2,400 bytes at hand: CPU vs nginx (what a hit in a cache costs at least)",
                     ratio, 0.85, 0.75, "×", detail)

    def observe(self):
        path, stages = "/api/v1/todos", ("tracing", "metrics", "access_log")
        send = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.lab.collector().port}", "OTEL_BSP_MAX_QUEUE_SIZE": "65536"}
        hundredth = {**send, "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.01"}
        sides = {"none": (stages, {}), "log": (stages[:2], {}), "log and metrics": (stages[:1], {}), "with trace ids": ((), {}),
                 "with 1 % of traces": ((), hundredth), "with all traces": ((), send)}
        loads = {}
        for name, (without, environment) in sides.items():
            server = self.ready(self.lab.backplane("observe-" + name.replace(" ", "-").replace("%", "percent"), without=without, environment=environment))
            loads[name] = Load(server, path, self.signed_in(server))
        self.interleave(list(loads.values()))
        detail = ", ".join(f"{name}: {load.cpu_median():.2f} µs ({median_ratio(load.cpu, loads['none'].cpu):.3f} ×)" for name, load in loads.items())
        yield Result("observe", "cached authenticated list with metrics, 1 % of traces and JSON log vs without any of them: CPU",
                     median_ratio(loads["with 1 % of traces"].cpu, loads["none"].cpu), 1.15, 1.1, "×", detail)

    def scrape(self):
        server, path = self.main(), "/metrics"
        self.signed_in(server)
        samples = sum(1 for line in server.request("GET", path)[2].splitlines() if not line.startswith(b"#"))
        load = Load(server, path)
        self.interleave([load])
        yield Result("scrape", "a scrape of 2,000 samples: CPU, whole request", load.cpu_median() / 1000 * 2000 / samples, 5, 1, " ms",
                     f"{load.cpu_median():.0f} µs for {samples} samples")

    def unchanged(self):
        server, path = self.main(), "/api/v1/todos"
        fields = self.signed_in(server)
        path += "/" + json.loads(server.request("GET", path, headers=fields)[2])["data"]["data"][0]["id"]
        found = dict((name.lower(), value) for name, value in server.request("GET", path, headers=fields)[1])
        asking = {**fields, "If-None-Match": found["etag"]}
        status = server.request("GET", path, headers=asking)[0]
        if status != 304:
            raise Failure(f"{path}: {status} instead of 304")
        same, whole = Load(server, path, asking), Load(server, path, fields)
        self.interleave([same, whole])
        yield Result("unchanged", "GET of a todo with If-None-Match, 304: CPU vs the same with 200", median_ratio(same.cpu, whole.cpu), 1.05, 1.0, "×",
                     f"{same.cpu_median():.2f} to {whole.cpu_median():.2f} µs; {same.rate_median():.0f} to {whole.rate_median():.0f} req/s")

    def pipelined(self):
        server, path = self.main(), "/bench/small"
        nginx = self.nginx_like("nginx-small", server, path, {}, False)
        ratio, detail = self.against_nginx(Load(server, path, depth=DEPTH), Load(nginx, path, depth=DEPTH))
        yield Result("pipelined", f"pipelined, depth {DEPTH}: CPU vs nginx", ratio, 0.4, 0.2, "×", detail)

    def create(self):
        server = self.ready(self.lab.backplane("create"))
        fields = self.signed_in(server)
        reference = self.lab.path("one-by-one.db")
        with contextlib.closing(sqlite3.connect(self.lab.path("data-create/todo.db"))) as source, \
                contextlib.closing(sqlite3.connect(reference)) as copy:
            source.backup(copy)
        load, alone = Load(server, "/api/v1/todos", fields, body=TODO), []
        load.round(1, self.script, keep=False)
        for _ in range(self.rounds):
            load.round(self.seconds, self.script)
            done = subprocess.run(["taskset", "-c", SERVER_CPU, sys.executable, os.path.join(HERE, "one_by_one.py"), reference,
                                   str(self.seconds)], capture_output=True, text=True, check=True)
            alone.append(float(done.stdout))
        ratio = median_ratio(load.rate, alone)
        yield Result("create", f"durable create on SQLite, {CONNECTIONS} clients: req/s vs one transaction each", ratio, 3, 3.4, "×",
                     f"{load.rate_median():.0f} to {statistics.median(alone):.0f} a second; {load.cpu_median():.1f} µs", at_most=False)

    def start(self):
        server = self.lab.backplane("start")
        self.ready(server)
        server.stop()
        times = []
        for _ in range(2 * self.rounds + 1):
            server = self.lab.backplane("start")
            times.append(server.await_answer("/health/ready") * 1000)
            server.stop()
        yield Result("start", "start to first answer, SQLite, existing data", statistics.median(times), 50, 20, "ms",
                     f"{min(times):.0f} to {max(times):.0f} ms in {len(times)} starts")

    def memory(self):
        self.lab.stop()  # other servers would take their part of the pages that all share
        server = self.ready(self.lab.backplane("memory"))
        server.stop()
        server = self.ready(self.lab.backplane("memory"))
        held = []
        try:
            for name, count, bar, stretch in (("idle", 0, 12, 8), ("64", CONNECTIONS, 14, 10), ("10000", IDLE_CONNECTIONS, 60, 30)):
                while len(held) < count:
                    held.append(hold(server.port))
                yield Result("memory-" + name, f"memory of all processes (PSS), {f'{count} idle connections' if count else 'idle'}",
                             server.pss_bytes() / MIB, bar, stretch, "MiB", f"{count} connections, each after an answer" if count else "after the first answer")
        finally:
            for connection in held:
                connection.close()

    def streams(self):
        self.lab.stop()
        server = self.ready(self.lab.backplane("streams", events=f"streams = {2 * STREAMS}; streams_per_user = {2 * STREAMS};"))
        clients = Clients(server, self.signed_in(server))
        try:
            clients.open(FIRST_STREAMS)
            before = server.pss_bytes()
            clients.open(STREAMS - FIRST_STREAMS)
            after = server.pss_bytes()
            yield Result("streams-memory", f"memory (PSS) of an event stream, of {STREAMS:,}, each through the whole chain with a token",
                         (after - before) / (STREAMS - FIRST_STREAMS) / 1024, 5, 4, "KiB", f"{after / MIB:.1f} MiB in all")
            busy = server.cpu_seconds()
            spans = [clients.tell(TODO) for _ in range(2 * self.rounds + 1)]
            busy = (server.cpu_seconds() - busy) * 1000 / len(spans)
            told, alone = (statistics.median(times) * 1000 for times in zip(*spans))
            yield Result("streams-fan-out", f"an event to {STREAMS:,} clients of one worker, from the write's answer to the last client", told, 200, 150,
                         "ms", f"{alone:.0f} ms from the first client to the last, {busy:.0f} ms of CPU; the outbox is looked at every 100 ms")
        finally:
            clients.close()
            server.stop()

    def stages(self):
        server = self.main()
        loads = {count: Load(server, f"/bench/stages-{count}", depth=DEPTH) for count in STAGES}
        self.interleave(list(loads.values()))
        cost = {count: load.cpu_median() for count, load in loads.items()}
        slope = statistics.median((most - none) / STAGES[-1] for most, none in zip(loads[25].cpu, loads[0].cpu)) * 1000
        detail = ", ".join(f"{count}: {cost[count]:.2f} µs" for count in STAGES)
        detail += f"; {(cost[10] - cost[1]) / 9 * 1000:.0f} ns from 1 to 10, {(cost[25] - cost[10]) / 15 * 1000:.0f} ns from 10 to 25"
        yield Result("stages", "a no-op stage more in the pipeline", slope, 60, 25, "ns", detail)

    def workers(self):
        one, path = self.main(), "/api/v1/todos"
        two = self.ready(self.lab.backplane("two", workers=2))
        loads = [Load(two, path, self.signed_in(two)), Load(one, path, self.signed_in(one))]
        self.interleave(loads)
        yield Result("workers", "two workers vs one, authenticated list: CPU a request", median_ratio(loads[0].cpu, loads[1].cpu), 1.10, 1.03, "×",
                     f"{loads[0].cpu_median():.2f} to {loads[1].cpu_median():.2f} µs, all on one CPU")

    # --- rows on Postgres ---

    def on_postgres(self, name):
        """A server on a Postgres database of its own, and that database's URL; an account with ten todos."""
        def make():
            url = self.lab.postgres().database(name)
            server = self.ready(self.lab.backplane(name, url=url, cached=False))
            self.signed_in(server)
            server.url = url
            return server
        return self.lab.shared(name, make)

    def against_fastify(self, name, body=None):
        """Rounds of both on the same database. The peer knows our tokens."""
        server, path = self.on_postgres(name), "/api/v1/todos"
        peer = self.lab.fastify(name + "-fastify", server.url)
        peer.await_answer(path, server.fields)
        same_reply(server, peer, path)
        loads = [Load(side, path, server.fields, body=body, beside=self.lab.postgres()) for side in (server, peer)]
        self.interleave(loads)
        peer.stop()
        ours, theirs = loads
        detail = (f"{ours.rate_median():.0f} to {theirs.rate_median():.0f} req/s; CPU {ours.cpu_median():.1f} + {ours.beside_median():.1f} µs "
                  f"to {theirs.cpu_median():.1f} + {theirs.beside_median():.1f} µs (server + Postgres)")
        return ours, theirs, detail

    def postgres_list(self):
        ours, theirs, detail = self.against_fastify("listing")
        yield Result("postgres-list-cpu", f"list from Postgres, {CONNECTIONS} clients: CPU of the server vs fastify + pg",
                     median_ratio(ours.cpu, theirs.cpu), 1 / 6, 1 / 9, "×", detail)
        yield Result("postgres-list-rate", "the same: req/s vs fastify + pg", median_ratio(ours.rate, theirs.rate), 2.5, 3.3, "×", detail, at_most=False)

    def postgres_create(self):
        ours, theirs, detail = self.against_fastify("creating", TODO)
        yield Result("postgres-create-rate", f"durable create on Postgres, {CONNECTIONS} clients: req/s vs fastify + pg",
                     median_ratio(ours.rate, theirs.rate), 3, 4, "×", detail, at_most=False)
        yield Result("postgres-create-cpu", "the same: CPU of server and Postgres vs fastify + pg",
                     median_ratio(ours.total_cpu(), theirs.total_cpu()), 1 / 4, 1 / 6, "×", detail)

    def postgres_flat(self):
        postgres, loads = self.lab.postgres(), []
        for count in FOREIGN:
            server = self.on_postgres(f"beside_{count}")
            postgres.psql(f"beside_{count}", FOREIGN_TODOS.format(users=count // 100, each=100))
            for table in ("users", "todos"):
                postgres.psql(f"beside_{count}", f"VACUUM (ANALYZE) {table}")
            loads.append(Load(server, "/api/v1/todos", server.fields, beside=postgres))
        self.interleave(loads)
        few, many = loads
        yield Result("postgres-flat", f"list from Postgres beside {FOREIGN[1]:,} todos of other users vs beside {FOREIGN[0]}: CPU of server and Postgres",
                     median_ratio(many.total_cpu(), few.total_cpu()), 1.2, 1.05, "×",
                     f"CPU {many.cpu_median():.1f} + {many.beside_median():.1f} µs to {few.cpu_median():.1f} + {few.beside_median():.1f} µs "
                     f"(server + Postgres); {many.rate_median():.0f} to {few.rate_median():.0f} req/s")

    def queue(self):
        postgres, ours, late = self.lab.postgres(), [], []
        peers = {name: [] for name in ("graphile-worker", "pg-boss")}
        for i in range(self.rounds):
            server = jobs.queue(self.lab, f"queue_{i}", postgres.database(f"queue_{i}"))
            ours.append(jobs.queue_rate(server, JOBS))
            late.append(jobs.queue_latency(server))
            server.stop()
            for name, said in peers.items():
                said.append(jobs.peer(name, postgres.database(f"{name.replace('-', '_')}_{i}"), JOBS))
        for name, said in peers.items():
            yield Result(f"queue-rate-{name}", f"{JOBS:,} jobs that do nothing, on Postgres, one process: jobs/s vs {name}",
                         statistics.median(mine / its["rate"] for mine, its in zip(ours, said)), 3, 5, "×",
                         f"{statistics.median(ours):.0f} to {statistics.median(its['rate'] for its in said):.0f} jobs/s", at_most=False)
        theirs = [statistics.median(its["latency"]) for its in peers["graphile-worker"]]
        yield Result("queue-start", "one job in a quiet moment: from the request that enqueues it to its start, median", statistics.median(late),
                     10, 5, " ms", f"graphile-worker, without a request: {statistics.median(theirs):.1f} ms")


ROWS = {"small": Bench.small, "list": Bench.list, "chain": Bench.chain, "observe": Bench.observe, "scrape": Bench.scrape, "unchanged": Bench.unchanged, "pipelined": Bench.pipelined, "create": Bench.create, "start": Bench.start,
        "memory": Bench.memory, "streams": Bench.streams, "stages": Bench.stages, "workers": Bench.workers, "postgres-list": Bench.postgres_list,
        "postgres-create": Bench.postgres_create, "postgres-flat": Bench.postgres_flat, "queue": Bench.queue}


def same_reply(server, peer, path):
    """Or the comparison is none."""
    ours, theirs = (json.loads(side.request("GET", path, headers=server.fields)[2]) for side in (server, peer))
    if ours != theirs:
        raise Failure(f"{path}: not the same answers: {ours['data']['data'][:1]} {ours['data']['meta']}, {theirs['data']['data'][:1]} {theirs['data']['meta']}")


def hold(port):
    """A connection that has had one answer and is kept."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    received = b""
    while not received.endswith(b"}"):
        more = connection.recv(4096)
        if not more:
            raise Failure("a connection was closed instead of kept")
        received += more
    if not received.startswith(b"HTTP/1.1 200"):
        raise Failure(f"/health/live: {received[:60]!r}")
    return connection
