# SPDX-License-Identifier: MIT
"""A Postgres of the bench's own: a cluster in a folder that ends with it, durable, on the CPU of the load (as if on another machine)."""
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

from processes import LOAD_CPU, Failure, Process, free_port

SETTINGS = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "listen_addresses": "127.0.0.1", "max_connections": "100",
            "shared_buffers": "256MB", "max_wal_size": "4GB", "logging_collector": "off", "timezone": "UTC"}


def program(name):
    found = shutil.which(name) or next(iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None)
    if not found:
        raise Failure(f"{name} is not installed")
    return found


def account():
    """Postgres refuses to run as root."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


class Postgres(Process):
    """A running cluster."""

    def __init__(self, log):
        owner = account()
        # Not below the build: its owner may not be allowed to look into that. /var/tmp is on a disk.
        self.folder = tempfile.mkdtemp(prefix="bench-postgres-", dir="/var/tmp")
        os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self.identity = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        self.port, self.name = free_port(), owner.pw_name
        data = os.path.join(self.folder, "data")
        done = subprocess.run([program("initdb"), "-D", data, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"], cwd=self.folder,
                              capture_output=True, text=True, check=False, **self.identity)
        if done.returncode != 0:
            shutil.rmtree(self.folder)
            raise Failure(f"initdb: {done.stderr}")
        command = [program("postgres"), "-D", data, "-p", str(self.port), "-k", self.folder]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        super().__init__(command, log, LOAD_CPU, cwd=self.folder, **self.identity)
        self.await_start()

    def await_start(self):
        give_up = time.perf_counter() + 20
        while self.process.poll() is None and time.perf_counter() < give_up:
            if self.psql("postgres", "SELECT 1", check=False) == "1":
                return
            time.sleep(0.02)
        raise Failure("Postgres did not start:\n" + self.log_end())

    def psql(self, database, sql, check=True):
        done = subprocess.run([program("psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", self.name, "-d", database, "-qAtX",
                               "-v", "ON_ERROR_STOP=1", "-c", sql], capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise Failure(f"psql: {done.stderr}")
        return done.stdout.strip()

    def database(self, name):
        """Makes a database: its URL."""
        self.psql("postgres", f"CREATE DATABASE {name}")
        return f"postgres://{self.name}@127.0.0.1:{self.port}/{name}"

    def stop(self):
        self.process.send_signal(signal.SIGINT)  # "fast": whoever is connected is disconnected
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
