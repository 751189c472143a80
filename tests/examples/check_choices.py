#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: check_choices.py SOURCE BUILD

docs/choosing.md knows every plugin, and what it says has to go with each is enough: the shipped configuration without those passes `check`, and
where something has to go with it, taking out the plugin alone does not pass. Exit status 1 when anything is otherwise.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

DOCUMENT = "docs/choosing.md"


def rows(source):
    """Yields (plugin, the names that go with it, or None where they depend on more)."""
    with open(os.path.join(source, DOCUMENT), encoding="utf-8") as file:
        for line in file:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            found = re.match(r"\[(\w+)\]\(\.\./plugins/(\w+)/README\.md\)", cells[0])
            if found and len(cells) == 5:
                names = re.findall(r"`(\w+)`", cells[4])
                yield found[1], None if re.search(r"[a-z]", re.sub(r"`\w+`", "", cells[4])) else names


def without(text, names):
    """The configuration without the entries and stages of these names."""
    text = re.sub(r"(?m)^\s*#.*$|(?<=[;,({]) *#.*$", "", text)
    plugins, rest = text.split("pipelines:", 1)
    pipelines, routes = rest.split("routes:", 1)
    group = r'\{ (?:use = "%s"|use = "\w+"; (?:as|name) = "%s");(?:\$\{[^}]*\}|[^{}])*\}'
    for name in names:
        plugins = re.sub(group % (name, name), "", plugins)
        pipelines = re.sub(group % (name, name), "", pipelines)
        pipelines = re.sub('"%s"' % name, "", pipelines)
    text = f"{plugins}pipelines:{pipelines}routes:{routes}"
    before = None
    while text != before: # commas that stand between nothing
        before = text
        text = re.sub(r",\s*,", ",", re.sub(r"\(\s*,", "(", re.sub(r",\s*\)", " )", text)))
    return text


def main(source, build):
    findings = []
    known = dict(rows(source))
    for name in os.listdir(os.path.join(source, "plugins")):
        if os.path.exists(os.path.join(source, "plugins", name, "README.md")) and name not in known:
            findings.append(f"{DOCUMENT}: nothing is said about {name}")
    with tempfile.TemporaryDirectory() as folder:
        place = os.path.join(folder, "config")
        shutil.copytree(os.path.join(source, "config"), place)
        file = os.path.join(place, "backplane.cfg")
        with open(file, encoding="utf-8") as shipped:
            text = shipped.read()

        def check(names):
            with open(file, "w", encoding="utf-8") as changed:
                changed.write(without(text, names))
            done = subprocess.run([os.path.join(build, "backplane"), "-c", file, "check"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  check=False, env={"PATH": os.environ["PATH"], "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")})
            return done.returncode, done.stdout

        for plugin, others in known.items():
            if others is None:
                continue
            status, said = check([plugin, *others])
            if status != 0:
                findings.append(f"{DOCUMENT}: {plugin} needs more taken out than is said:\n{said}")
            if others and check([plugin])[0] == 0:
                findings.append(f"{DOCUMENT}: {plugin} can be taken out alone")
    print("\n".join(findings))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])))
