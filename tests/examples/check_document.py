#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: check_document.py SOURCE BUILD

docs/writing-a-plugin.md is what its reader can repeat: each code block is a file of this tree (which the build compiles and the tests load), or a
session whose commands are run here, in a copy, and say what the document says ("…" stands for anything), as are builds out of the tree against
what is installed. Exit status 1 when anything differs.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

DOCUMENT = "docs/writing-a-plugin.md"


def blocks(text):
    """Yields (line, language, lines, the file that it quotes or None)."""
    before, block = "", None
    for number, line in enumerate(text.split("\n"), 1):
        if block and line.startswith("```"):
            yield block
            block = None
        elif block:
            block[2].append(line)
        elif line.startswith("```"):
            quoted = re.fullmatch(r"<!-- file: (\S+) -->", before)
            block = (number, line[3:], [], quoted and quoted[1])
        before = line


def sessions(lines):
    """Yields (command, what is expected of it)."""
    command, expected = None, []
    for line in lines:
        if line.startswith("$ "):
            if command:
                yield command, expected
            command, expected = line[2:], []
        elif command and command.endswith("\\"):
            command = command[:-1] + line.strip()
        else:
            expected.append(line)
    if command:
        yield command, expected


def matches(expected, got):
    pattern = r"\n".join(re.escape(line).replace("…", ".*") if line != "…" else r"(?:.*\n?)*?.*" for line in expected)
    return re.fullmatch(pattern, "\n".join(got), re.S) is not None


def run(command, folder, environment):
    done = subprocess.run(["sh", "-c", command], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, timeout=120)
    return done.returncode, done.stdout.rstrip("\n").split("\n") if done.stdout else []


def copy_of(source, build, folder):
    """The tree, as links; what commands make is made in the folder alone."""
    for name in os.listdir(source):
        if not name.startswith("build") and name != "var":
            os.symlink(os.path.join(source, name), os.path.join(folder, name))
    os.symlink(build, os.path.join(folder, "build"))


def installed(build, folder):
    """The environment in which pkg-config finds what was installed into the folder."""
    root = os.path.join(folder, "root")
    subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", root], check=True, stdout=subprocess.DEVNULL)
    options = subprocess.run(["meson", "introspect", "--buildoptions", build], stdout=subprocess.PIPE, check=True, text=True).stdout
    places = {option["name"]: option["value"] for option in json.loads(options)}
    return {"PATH": os.environ["PATH"], "HOME": folder, "LC_ALL": "C.UTF-8", "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""),
            "PKG_CONFIG_LIBDIR": os.path.join(root + places["prefix"], places["libdir"], "pkgconfig"), "PKG_CONFIG_SYSROOT_DIR": root}


def check_blocks(source, folder, environment):
    findings = []
    with open(os.path.join(source, DOCUMENT), encoding="utf-8") as file:
        text = file.read()
    count = 0
    for line, language, lines, quoted in blocks(text):
        if quoted:
            with open(os.path.join(source, quoted), encoding="utf-8") as file:
                if file.read() != "\n".join(lines) + "\n":
                    findings.append(f"{DOCUMENT}:{line}: is not what stands in {quoted}: run docs/generate")
            continue
        if language != "console":
            findings.append(f"{DOCUMENT}:{line}: a block that nothing compiles or runs: quote a file (<!-- file: PATH -->)")
            continue
        for command, expected in sessions(lines):
            count += 1
            status, got = run(command, folder, environment)
            if status != 0 or (expected and not matches(expected, got)):
                findings.append("\n".join([f"{DOCUMENT}:{line}: $ {command}", f"exit status {status}, and said:", *got]))
    if count < 3:
        findings.append(f"{DOCUMENT}: only {count} commands were found")
    return findings


def build_outside(source, folder, environment):
    """A plugin as a team has it, with its own meson.build and nothing of this tree but what is installed."""
    status, got = run(f"meson setup out '{source}/docs/examples/slow_log' && ninja -C out", folder, environment)
    if status != 0 or not os.path.exists(os.path.join(folder, "out", "slow_log.so")):
        return ["\n".join(["a plugin out of the tree was not built:", *got])]
    return []


def main(source, build):
    with tempfile.TemporaryDirectory() as folder:
        copy_of(source, build, folder)
        environment = installed(build, folder)
        findings = check_blocks(source, folder, environment) + build_outside(source, folder, environment)
    print("\n\n".join(findings))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])))
