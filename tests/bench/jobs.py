# SPDX-License-Identifier: MIT
"""Jobs that do nothing, on Postgres: how many a second, and how soon one starts; of the queue, of graphile-worker and of pg-boss."""
import json
import os
import statistics
import subprocess
import time

from lab import install_packages
from processes import HERE, SERVER_CPU, Failure, Server, free_port

ONE_BY_ONE = 200

CONFIG = """server: {{ listen = ( {{ address = "127.0.0.1:{port}"; }} ); data = "{data}"; workers = 1; job_workers = 1; plugin_path = "{plugins}"; }};
plugins: ( {{ use = "health"; }}, {{ use = "jobber"; }}, {{ use = "queue"; keep_done = "{keep}"; }},
           {{ use = "postgres"; name = "main"; url = "{url}"; migrate = true; }} );
pipelines: {{ bare = (); }};
routes: ( {{ match = "/*"; pipeline = "bare"; }} );
"""


def queue(lab, name, url, keep="0"):
    """A server with one worker for jobs. keep: how long jobs that are done are kept; graphile-worker keeps none."""
    port, file = free_port(), lab.path(name + ".cfg")
    with open(file, "w", encoding="ascii") as out:
        out.write(CONFIG.format(port=port, data=lab.path("data-" + name), plugins=os.path.join(lab.build, "tests", "http"), url=url, keep=keep))
    server = Server([os.path.join(lab.build, "backplane"), "run", "-c", file], port, lab.path(name + ".log"), {"PATH": os.environ["PATH"]})
    lab.servers.append(server)
    server.await_answer("/health/live")
    return server


def ask(server, method, path, body=None):
    status, _, text = server.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"}, 60)
    if status >= 300:
        raise Failure(f"{path}: {status} {text[:200]!r}")
    return json.loads(text).get("data")


def done(server, count):
    give_up = time.perf_counter() + 120
    while time.perf_counter() < give_up:
        said = ask(server, "GET", "/noops")
        if said["done"] >= count:
            return said
        time.sleep(0.02)
    raise Failure(f"{count} jobs were not done in time")


def queue_rate(server, count):
    """Jobs a second, from when all of them were there."""
    ask(server, "POST", "/noops", {"count": count})
    return count / (done(server, count)["nanoseconds"] / 1e9)


def queue_latency(server):
    """Milliseconds from before each of some jobs is asked for, by a request, to its start; each in a quiet moment."""
    ask(server, "POST", "/noops", {"count": 0})
    found = []
    for i in range(ONE_BY_ONE):
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        ask(server, "POST", "/jobs", {"kind": "jobber.noop"})
        found.append((done(server, i + 1)["ended"] - before) / 1e6)
    return statistics.median(found)


def peer(name, url, count):
    """What peers/NAME/jobs.mjs says of so many jobs."""
    folder = os.path.join(HERE, "peers", name)
    install_packages(folder)
    ended = subprocess.run(["taskset", "-c", SERVER_CPU, "node", os.path.join(folder, "jobs.mjs"), url, str(count)], capture_output=True,
                           text=True, check=False, timeout=300)
    if ended.returncode != 0:
        raise Failure(f"{name}: {ended.stderr[-500:]}")
    return json.loads(ended.stdout)
