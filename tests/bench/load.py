# SPDX-License-Identifier: MIT
"""Load from wrk, pinned to a CPU of its own: interleaved rounds and their medians."""
import re
import statistics
import subprocess

from processes import LOAD_CPU, Failure

CONNECTIONS = 64
WARM_REQUESTS, WARM_ROUNDS = 8000, 8

PIPELINE = """local requests = ""
init = function() local one = wrk.format() requests = string.rep(one, %d) end
request = function() return requests end
"""


class Load:
    """What wrk sends to one server. beside: the process that works for the server, a database."""

    def __init__(self, server, path, headers=None, body=None, depth=1, beside=None):
        self.server, self.path, self.headers, self.beside = server, path, dict(headers or {}), beside
        self.script = ""
        if body is not None:
            self.headers["Content-Type"] = "application/json"
            self.script = f"wrk.method = 'POST'\nwrk.body = [==[{body}]==]\n"
        if depth > 1:
            self.script += PIPELINE % depth
        self.cpu, self.beside_cpu, self.rate, self.sent = [], [], [], 0

    def command(self, seconds, script_path):
        command = ["taskset", "-c", LOAD_CPU, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s"]
        for name, value in self.headers.items():
            command += ["-H", f"{name}: {value}"]
        if self.script:
            with open(script_path, "w", encoding="ascii") as out:
                out.write(self.script)
            command += ["-s", script_path]
        return command + [f"http://127.0.0.1:{self.server.port}{self.path}"]

    def clocks(self):
        return self.server.cpu_seconds(), self.beside.cpu_seconds() if self.beside else 0

    def round(self, seconds, script_path, keep=True):
        before = self.clocks()
        done = subprocess.run(self.command(seconds, script_path), capture_output=True, text=True, check=False)
        spent, spent_beside = (after - at_first for after, at_first in zip(self.clocks(), before))
        found = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", done.stdout)
        if done.returncode != 0 or not found or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
            raise Failure(f"{self.path}: wrk reports\n{done.stdout}{done.stderr}")
        requests = int(found[1])
        self.sent += requests
        if requests == 0:
            raise Failure(f"{self.path}: no request was answered")
        if keep:
            self.cpu.append(spent / requests * 1e6)
            self.beside_cpu.append(spent_beside / requests * 1e6)
            self.rate.append(requests / (float(found[2]) * {"ms": 0.001, "s": 1, "m": 60}[found[3]]))

    def warm(self, script_path):
        """What compiles while it runs, or learns, has done so."""
        for _ in range(WARM_ROUNDS):
            self.round(1, script_path, keep=False)
            if self.sent >= WARM_REQUESTS:
                break

    def cpu_median(self):
        """Microseconds of CPU a request."""
        return statistics.median(self.cpu)

    def beside_median(self):
        """The same of the process beside the server."""
        return statistics.median(self.beside_cpu)

    def total_cpu(self):
        """Of both, round by round."""
        return [a + b for a, b in zip(self.cpu, self.beside_cpu)]

    def rate_median(self):
        """Requests a second."""
        return statistics.median(self.rate)


def interleave(loads, rounds, seconds, script_path):
    """Rounds of each in turn, so that what else the machine does falls on all of them alike."""
    for load in loads:
        load.warm(script_path)
    for _ in range(rounds):
        for load in loads:
            load.round(seconds, script_path)


def median_ratio(values, others):
    """The median of the rounds' ratios: neighbours in time."""
    return statistics.median(a / b for a, b in zip(values, others))
