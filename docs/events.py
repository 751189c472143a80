#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints docs/reference/events.md: every event that the source logs. Started by docs/generate, in the root of the tree."""
import glob
import re

STRING = r'"((?:[^"\\]|\\.)*)"'
LEVELS = {"DEBUG": "debug", "INFO": "info", "WARN": "warn", "ERROR": "error"}
# Written by other ways: line by line in a process that crashes, by the access log, and through a function of the plugin's.
OTHERS = [("http.access", "info", "access_log", "a request (the access log's own line)"),
          ("http.slow", "info", "access_log", "a slow request, and what it waited for (the access log's own line)"),
          ("sqlite.read_failed", "error", "sqlite", "The database cannot be read"),
          ("sqlite.write_failed", "error", "sqlite", "Writes could not be committed and were undone"),
          ("worker.crashed", "error", "core", "a worker's last words: what it was doing, then its stack")]


def arguments(text, at):
    """What stands between the commas of the call whose parenthesis opens before at."""
    found, depth, start = [], 0, at
    while depth >= 0:
        if text[at] == '"':
            at = re.compile(STRING).match(text, at).end()
            continue
        depth += (text[at] in "({[") - (text[at] in ")}]")
        if (text[at] == "," and depth == 0) or depth < 0:
            found.append(text[start:at])
            start = at + 1
        at += 1
    return found


def whose(file):
    return file.split("/")[1] if file.startswith("plugins/") else "core"


def literals(text):
    """Each literal of an expression; neighbours are one."""
    return ["".join(re.findall(STRING, run)) for run in re.findall(rf"(?:{STRING.replace('(', '(?:', 1)}\s*)+", text)]


def events():
    for file in sorted(glob.glob("core/**/*.c", recursive=True) + glob.glob("plugins/**/*.c", recursive=True)):
        if "/tests/" in file:
            continue
        with open(file, encoding="utf-8") as source:
            text = source.read()
        for call in re.finditer(r"\bbp_log(?:_write)?\(", text):
            given = arguments(text, call.end())
            if len(given) < 4:
                continue
            levels = " or ".join(LEVELS[level] for level in re.findall(r"BP_LOG_(\w+)", given[1]) if level in LEVELS)
            messages = literals(given[3])
            for index, event in enumerate(name for name in literals(given[2]) if re.fullmatch(r"[a-z_]+\.[a-z_]+", name)):
                yield event, levels, whose(file), messages[min(index, len(messages) - 1)] if messages else ""


def main():
    rows = {}
    for event, levels, owner, message in [*OTHERS, *events()]:
        row = rows.setdefault(event, (set(), set(), []))
        row[0].update(level for level in levels.split(" or ") if level)
        row[1].add(owner)
        if message and message not in row[2]:
            row[2].append(message)
    order = list(LEVELS.values())
    print("<!-- Made by docs/generate from the source: change that. -->")
    print("# Events\n")
    print("What stands in the log as `event`, with the message beside it. Its fields say the rest; what to do is in [operating.md](../operating.md#logs), and in the")
    print("README.md of the plugin. A level or message that is not given here is made for the case.\n")
    print("| Event | Level | Plugin | Message |\n|---|---|---|---|")
    for event in sorted(rows):
        levels, owners, messages = rows[event]
        text = "; ".join(message.replace("|", "\\|").replace("<", "\\<") for message in messages)
        print(f"| `{event}` | {', '.join(sorted(levels, key=order.index))} | {', '.join(sorted(owners))} | {text} |")


main()
