#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs what a document shows against a server of its own, so that a document that is wrong fails the tests.

usage: run_document.py EXECUTABLE DOCUMENT [--include CONFIGURATION]

Every ```sh block with a curl in it runs, in order, in one shell; http://127.0.0.1:3000 is the server, var/ its data. A ```json, ```http or
```text block behind it shows what comes: of the whole block, or of one of its curls. White space outside of strings does not count there, nor do
identifiers, dates and numbers of milliseconds; "…" stands for anything. Of a head the lines shown must come. Without such a block every
reply must be a success. A comment that begins with "<!-- sh" runs, too. Writes TAP.
"""
import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SHOWN = "http://127.0.0.1:3000"
STRING = r'"(?:[^"\\]|\\.)*"'
VOLATILE = [(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"), (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "DATE"),
            (r"\b\d{13}(\.\d+)?\b", "MILLISECONDS"), (r"\b[0-9a-f]{32}\b", "TRACE")]
# Each reply is kept, with its status: curl in a substitution or a pipe is looked at, too.
PRELUDE = r"""
curl() {
    printf x >>"$RUN/count"
    reply=$RUN/reply.$(wc -c <"$RUN/count" | tr -d ' ')
    command curl -sS -w '%{stderr}%{http_code}\n' "$@" 2>"$reply.status" | tee "$reply"
}
"""


def blocks(text):
    """Yields (language, text, line) of each fenced block, and of each comment that is to be run."""
    inside, lines = None, []
    for number, line in enumerate(text.splitlines(), 1):
        if inside is None:
            fence = re.match(r"```(\w*)$|<!-- (sh)$", line)
            if fence:
                inside, lines = ((fence[1] or "", "```") if fence[2] is None else ("hidden", "-->")), []
        elif line == inside[1]:
            yield inside[0], "\n".join(lines), number - len(lines)
            inside = None
        else:
            lines.append(line)


def steps(text):
    """Yields (script, what is shown behind it or None, its language, line)."""
    waiting = None
    for language, block, line in blocks(text):
        if waiting and language in ("json", "http", "text"):
            yield waiting[0], block, language, waiting[1]
            waiting = None
        elif language == "hidden" or language == "sh" and "curl" in block:
            if waiting:
                yield waiting[0], None, None, waiting[1]
            waiting = block, line
    if waiting:
        yield waiting[0], None, None, waiting[1]


def settled(text):
    for pattern, name in VOLATILE:
        text = re.sub(pattern, name, text)
    return text


def squeezed(text):
    return "".join(part if part.startswith('"') else re.sub(r"\s+", "", part) for part in re.split(f"({STRING})", text))


def matches(expected, actual):
    pattern = ""
    for part in re.split(f"({STRING})", settled(expected)):
        anything = '[^"]*' if part.startswith('"') else ".*?"
        pattern += anything.join(re.escape(piece) for piece in part.split("…"))
    return re.fullmatch(pattern, settled(actual), re.S) is not None


def matches_reply(language, expected, actual):
    if language == "json":
        return matches(squeezed(expected), squeezed(actual))
    if language == "text":
        return matches(expected.strip(), actual.strip())
    head, _, body = expected.partition("\n\n")
    actual_head, _, actual_body = actual.replace("\r\n", "\n").partition("\n\n")
    there = actual_head.split("\n")
    lines = head.strip().split("\n")
    return (matches(lines[0], there[0]) and all(any(matches(line, other) for other in there[1:]) for line in lines[1:])
            and (not body.strip() or matches(squeezed(body), squeezed(actual_body))))


class Server:
    def __init__(self, executable, folder, include):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = os.path.join(folder, "log")
        shipped = os.path.join(ROOT, "config", "backplane.cfg")
        arguments = [os.environ.get("TEST_SERVER", executable), "-c", shipped, "run"]
        if include:
            arguments[2] = os.path.join(folder, "test.cfg")
            with open(arguments[2], "w", encoding="utf-8") as config:
                config.write(f'include = ( "{shipped}", "{os.path.abspath(include)}" );\n')
        environment = {name: value for name, value in os.environ.items() if name == "PATH" or name.endswith("SAN_OPTIONS")}
        environment |= {"PORT": str(self.port), "BACKPLANE_DATA": os.path.join(folder, "var"), "BACKPLANE_WORKERS": "2",
                        "RATE_LIMIT_MAX_REQUESTS": "1000000", "OPENAPI_VALIDATE": "true"}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(arguments, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def wait(self):
        until = time.monotonic() + 30
        while not self.answers() and time.monotonic() < until and self.process.poll() is None:
            time.sleep(0.02)

    def stop(self):
        """What is wrong with its end, or with what it has written."""
        self.process.terminate()
        code = self.process.wait(timeout=30)
        with open(self.log, encoding="utf-8", errors="replace") as log:
            undocumented = [line for line in log if "openapi.undocumented_reply" in line]
        return ([f"exit code {code}"] if code else []) + undocumented


class Shell:
    """One shell for the whole document: what a block sets, the next ones have."""

    def __init__(self, folder, url):
        self.folder, self.url = folder, url
        self.replies = os.path.join(folder, "replies")
        read, write = os.pipe()
        self.ends = os.fdopen(read)
        self.process = subprocess.Popen(["sh"], cwd=folder, stdin=subprocess.PIPE, text=True, pass_fds=(write,),
                                        env={"PATH": os.environ["PATH"], "RUN": self.replies, "LC_ALL": "C.UTF-8"})
        os.close(write)
        self.end = write
        self.process.stdin.write(PRELUDE)

    def run(self, script):
        """Its status, what it wrote, and (status, text) of each reply."""
        shutil.rmtree(self.replies, ignore_errors=True)
        os.mkdir(self.replies)
        out = os.path.join(self.folder, "out")
        self.process.stdin.write(f"{{\n{script.replace(SHOWN, self.url)}\n}} >'{out}' 2>&1 </dev/null\necho $? >&{self.end}\n")
        self.process.stdin.flush()
        status = self.ends.readline().strip()
        with open(out, encoding="utf-8") as file:
            written = file.read()
        replies = []
        while os.path.exists(f"{self.replies}/reply.{len(replies) + 1}"):
            name = f"{self.replies}/reply.{len(replies) + 1}"
            with open(name, encoding="utf-8", newline="") as reply, open(name + ".status", encoding="utf-8") as code:
                replies.append((code.read().strip(), reply.read().replace(self.url, SHOWN)))
        return status, written.replace(self.url, SHOWN), replies

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.ends.close()


def problem(status, written, replies, shown, language):
    """None, or what is wrong with a block."""
    if status != "0":
        return f"the shell says {status or 'nothing'}: {written}"
    if shown is not None:
        if any(matches_reply(language, shown, text) for text in [written] + [reply[1] for reply in replies]):
            return None
        return f"it shows\n{shown}\nand what comes is\n{written}"
    bad = [f"{code}: {text}" for code, text in replies if not re.fullmatch(r"[23]\d\d", code)]
    return "\n".join(bad) or None


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1)) # the server must end, too
    parser = argparse.ArgumentParser()
    parser.add_argument("executable")
    parser.add_argument("document")
    parser.add_argument("--include")
    arguments = parser.parse_args()
    with open(arguments.document, encoding="utf-8") as document:
        todo = list(steps(document.read()))
    name = os.path.relpath(arguments.document, ROOT)
    folder = tempfile.mkdtemp(prefix="backplane-docs-")
    server = Server(arguments.executable, folder, arguments.include)
    failed = not todo
    print(f"1..{len(todo) + 1}")
    try:
        server.wait()
        shell = Shell(folder, server.url)
        for number, (script, shown, language, line) in enumerate(todo, 1):
            wrong = problem(*shell.run(script), shown, language)
            failed = failed or wrong is not None
            print(f"{'ok' if wrong is None else 'not ok'} {number} - {name}:{line}")
            for text in (wrong or "").splitlines():
                print(f"# {text}")
        shell.stop()
    finally:
        wrong = server.stop()
        print(f"{'not ok' if wrong else 'ok'} {len(todo) + 1} - {name}: the server")
        for text in wrong:
            print(f"# {text}")
        shutil.rmtree(folder)
    return 1 if failed or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
