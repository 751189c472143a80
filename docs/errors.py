#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints docs/errors.md: every error code that the source answers with. Started by docs/generate, in the root of the tree."""
import glob
import re

CODE = r'"([a-z_]+\.[a-z_]+)"'
ADVICE = {
    400: "Correct the request.", 401: "Get a token, and send it.", 403: "Do not repeat it: it is not allowed.",
    404: "It is not there, or belongs to another.", 405: "Use a method of `Allow`.", 406: "Accept `application/json`.", 408: "Repeat it, faster.",
    409: "Look at what is there, then decide.", 410: "It is gone for good.", 412: "Read it again, then decide.",
    413: "Send less.", 414: "Shorten the target.", 415: "Send another media type.", 417: "Leave `Expect` out.",
    422: "Correct the request.", 428: "Send a condition.", 429: "Wait for `Retry-After`, then repeat it.",
    431: "Send fewer header fields.", 500: "Report it with the `requestId`.", 501: "Use another method.",
    502: "Repeat it later.", 503: "Repeat it after `Retry-After`.", 504: "Repeat it later.", 505: "Use HTTP/1.1.",
}

OWN_ADVICE = {
    "http.outcome_unknown": "Look whether it took place; repeat it only with the same `Idempotency-Key`.",
    "idempotency.in_flight": "Wait for `Retry-After`, then repeat it.",
    "idempotency.mismatch": "Make a new key for a new request.",
}


def sources():
    files = glob.glob("core/**/*.c", recursive=True) + glob.glob("plugins/**/*.c", recursive=True)
    return [file for file in sorted(files) if "/tests/" not in file]


def find(text):
    """Yields (status, code, message) of calls, of tables and of BP_ANSWER rows."""
    for match in re.finditer(r'\b(\d{3}),\s*' + CODE + r'(?:,\s*((?:"(?:[^"\\]|\\.)*"\s*)+))?', text):
        yield int(match[1]), match[2], match[3]
    for match in re.finditer(r'BP_ANSWER\((.*?)\)(?=,\s*BP_ANSWER|,\s*\})', text, re.S):
        status = re.search(r'\.status = (\d{3})', match[1])
        code = re.search(r'\.code = ' + CODE, match[1])
        message = re.search(r'\.message =\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', match[1])
        if status and code:
            yield int(status[1]), code[1], message[1] if message else None
    for match in re.finditer(r'\bfail\(rq, resource, (\d{3}), "([a-z_]+)", "([^"]*)"', text):
        yield int(match[1]), "<resource>." + match[2], '"<Resource> ' + match[3] + '"'


def main():
    rows = {(400, "validation.failed"): "Validation failed: …", (400, "http.malformed_json"): "",
            (422, "bulk.undone"): "Nothing was changed: an operation failed"}
    for file in sources():
        with open(file, encoding="utf-8") as source:
            text = source.read()
        for status, code, message in find(text):
            if not 400 <= status <= 599:
                continue
            message = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', message or "")).replace('\\"', '"')
            if not rows.get((status, code)):
                rows[status, code] = message
    print("<!-- Made by docs/generate from the source: change that. -->")
    print("# Error codes\n")
    print("Every error has a `code`, which stays the same; its message is for people and may change. With `Accept:")
    print("application/problem+json` it is a problem (RFC 9457), whose `type` is `about:blank`; with `server.problem_base` that text")
    print("and the code: `https://example.com/errors.html#todo.not_found`. `<resource>` is the name of a resource:")
    print("`todo.not_found`. A message that is not given here is made for the case.\n")
    print("A request for JSON whose `Accept` excludes JSON (`application/json;q=0`) is answered with 406; one that merely does not")
    print("list it (`text/html`) gets JSON all the same, unless `server.not_acceptable` says otherwise.\n")
    print("| Code | Status | Message | What to do |\n|---|---|---|---|")
    for (status, code) in sorted(rows, key=lambda row: (row[1], row[0])):
        message = rows[status, code].replace("|", "\\|")
        print(f"| <a id=\"{code}\"></a>`{code}` | {status} | {message} | {OWN_ADVICE.get(code, ADVICE.get(status, ''))} |")


main()
