# SPDX-License-Identifier: MIT
"""Servers under measurement: started on one CPU, their CPU time and memory read from /proc, stopped at the end."""
import http.client
import os
import signal
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
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


class Process:
    """What is measured: a process with its descendants, on one CPU."""

    def __init__(self, command, log, cpu=SERVER_CPU, **how):
        self.log = log
        with open(log, "ab") as out:
            self.started = time.perf_counter()
            self.process = subprocess.Popen(["taskset", "-c", cpu, *command], stdout=out, stderr=out,
                                            stdin=subprocess.DEVNULL, start_new_session=True, **how)

    def log_end(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()[-2000:]

    def cpu_seconds(self):
        """User and system time of all its processes, and of those that its first one has seen the end of."""
        total = 0
        for pid in process_tree(self.process.pid):
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue  # ended just now
            total += sum(int(field) for field in (fields[11:15] if pid == self.process.pid else fields[11:13]))
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


class Server(Process):
    """A server and its port. `started` is what the time to the first answer is counted from."""

    def __init__(self, command, port, log, env=None):
        self.port = port
        super().__init__(command, log, env=env)

    def request(self, method, path, body=None, headers=None, timeout=10):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.getheaders(), reply.read()
        finally:
            connection.close()

    def await_answer(self, path, headers=None):
        """Seconds from the start to the first 200."""
        give_up = self.started + 20
        while time.perf_counter() < give_up:
            if self.process.poll() is not None:
                break
            try:
                if self.request("GET", path, headers=headers)[0] == 200:
                    return time.perf_counter() - self.started
            except OSError:
                pass
            time.sleep(0.0005)
        raise Failure(f"{self.process.args[3]} did not start:\n{self.log_end()}")
