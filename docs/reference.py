#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: docs/reference.py FOLDER      Started by docs/generate, in the root of the tree.

Writes a page for each public header (include/backplane/**/*.h) into FOLDER/headers, and FOLDER/headers.md that lists them all.

How the headers are read. The comment behind the SPDX line is about the whole header. A comment right above a declaration or a #define
is its documentation, and that of those which follow without a blank line and a comment of their own. A comment with a blank line behind it is
a remark between them. Names that end in "_" are nobody's business, and what is not documented and only declared is opaque. A function, a macro
with parameters or a type that nothing is said about is an error.
"""
import glob
import os
import re
import sys
import textwrap

ROOT = "include/backplane"


class Item:
    """Declarations with the comment above them."""

    def __init__(self, doc, line):
        self.doc, self.line, self.declared, self.members, self.anchor = doc, line, [], [], ""

    def add(self, name, kind, code, members):
        if name not in self.names():
            self.declared.append((name, kind, code))
            self.members += members

    def names(self):
        return [name for name, _, _ in self.declared]

    def heading(self):
        names = self.names()
        return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def comment_text(comment):
    """The text between the marks, its lines without the asterisks and without the margin."""
    lines = comment[2:-2].split("\n")
    first, rest = lines[0].strip(), [re.sub(r"^\s*\* ?", "", line).rstrip() for line in lines[1:]]
    if not comment.startswith("/*\n") and any(re.match(r"\s*\*", line) is None for line in lines[1:] if line.strip()):
        rest = [line.strip() for line in lines[1:]]
    return "\n".join([first, *rest]).strip("\n ")


def chunks(text):
    """Yields (kind, source, line): "comment", "directive", "code", "blank"."""
    at = 0
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        if text[at] == "\n":
            end = at + 1
            if at > 0 and text[at - 1] == "\n":
                yield "blank", "", line
        elif text[at].isspace():
            end = at + 1
        elif text.startswith("/*", at):
            end = text.index("*/", at) + 2
            yield "comment", text[at:end], line
        elif text[at] == "#":
            end = re.compile(r"(?:\\\n|/\*.*?\*/|[^\n])*", re.S).match(text, at).end()
            yield "directive", text[at:end], line
        else:
            end = end_of_declaration(text, at)
            yield "code", text[at:end], line
        at = end


def end_of_declaration(text, at):
    """Behind the ";" or the body that ends what begins here, and a comment on the same line."""
    if text.startswith('extern "C"', at):
        return text.index("{", at) + 1
    if text[at] == "}":
        return at + 1
    depth, start = 0, at
    while True:
        if text.startswith("/*", at):
            at = text.index("*/", at) + 2
            continue
        if text[at] == '"':
            at = re.compile(r'"(?:[^"\\]|\\.)*"').match(text, at).end()
            continue
        depth += (text[at] in "({[") - (text[at] in ")}]")
        at += 1
        if depth == 0 and (text[at - 1] == ";" or (text[at - 1] == "}" and text.startswith("static inline", start))):
            return re.compile(r"(?:[ \t]*/\*.*?\*/)?", re.S).match(text, at).end()


def described(kind, source):
    """(name, kind, what is shown, names of members) of a declaration, or None when it is nobody's business."""
    if kind == "directive":
        found = re.match(r"#\s*define\s+(\w+)(\([^)]*\))?", source)
        if not found or found[1].endswith("_") or found[1].endswith("_H"):
            return None
        short = found[0] if found[2] or "\n" in source else source
        return found[1], "macro", short, []
    bare = re.sub(r"/\*.*?\*/", "", source, flags=re.S)
    if re.match(r'_Static_assert|static_assert|extern "C"|\}$', bare):
        return None
    found = re.match(r"(typedef\s+)?(struct|enum)\s+(\w+)\s*(\{.*\})?\s*(\w+)?\s*;", bare, re.S)
    if found:
        inside = found[4] or ""
        members = re.findall(r"\b(BP_[A-Z0-9_]+)\b(?=\s*[,=}\n])", inside) if found[2] == "enum" else []
        name = found[5] if found[1] else f"{found[2]} {found[3]}"
        return name, "opaque" if not inside and not found[1] else "type", source, members
    found = re.match(r"typedef\s+.*?(\w+)\s*(\(.*\))?;", bare, re.S)
    if found:
        return found[1], "type", source, []
    if bare.startswith("static inline"):
        source = re.sub(r"^static inline ", "", source[:source.index("{")]).strip() + ";"
        return re.search(r"(\w+)\(", source)[1], "function", source, []
    found = re.search(r"(\w+)\s*\(", bare)
    if found and not bare.startswith("bp_handler"):
        return found[1], "function", source, []
    return re.search(r"(\w+)\s*;", bare)[1], "function", source, []


def parse(text):
    """(about the header, items and remarks in their order)."""
    about, entries, doc, item, doc_line = "", [], None, None, 0
    for kind, source, line in chunks(text):
        if kind == "comment":
            if doc is not None:
                entries.append(doc)
            doc, doc_line, item = comment_text(source), line, None
            if doc.startswith("SPDX-"):
                doc = None
            elif not about and not entries:
                about, doc = doc, None
            continue
        if kind == "blank":
            if doc is not None:
                entries.append(doc)
            doc, item = None, None
            continue
        if kind == "directive" and not re.match(r"#\s*define", source):
            continue
        what = described(kind, source)
        if what is None:
            doc = None
            continue
        if what[1] == "opaque" and doc is None:
            continue
        if item is None:
            item = Item(doc or "", doc_line if doc else line)
            entries.append(item)
            doc = None
        item.add(*what)
    for entry in entries:
        if isinstance(entry, Item) and any(kind != "opaque" for _, kind, _ in entry.declared):
            entry.declared = [row for row in entry.declared if row[1] != "opaque"]
    return about, entries


def set_anchors(items):
    """As GitHub makes them of the headings: of those that are alike, the second is "name-1"."""
    counts = {}
    for item in items:
        name = re.sub(r"[^a-z0-9_ -]", "", item.heading().lower()).replace(" ", "-")
        item.anchor = f"{name}-{counts[name]}" if name in counts else name
        counts[name] = counts.get(name, 0) + 1


def undocumented(file, items):
    """What a plugin author would have to guess. A comment behind a declaration is one, too."""
    for item in items:
        for name, kind, code in item.declared:
            needs = kind in ("function", "type") or (kind == "macro" and name + "(" in code)
            if needs and not item.doc and "/*" not in code:
                yield f"{file}:{item.line}: {name} has no comment that says what it is"


def first_words(about):
    """Its first sentences, until they say something."""
    sentences = re.split(r"(?<=\.)\s", about.split("\n\n")[0].replace("\n", " "))
    words = sentences.pop(0)
    while len(words) < 30 and sentences:
        words += " " + sentences.pop(0)
    return re.sub(r"([*<|])", r"\\\1", words.rstrip(":"))


class Pages:
    def __init__(self):
        self.pages, self.places, self.findings = {}, {}, []
        for file in sorted(glob.glob(f"{ROOT}/**/*.h", recursive=True)):
            name = os.path.relpath(file, ROOT)[:-2]
            with open(file, encoding="utf-8") as header:
                self.pages[name] = parse(header.read())
            set_anchors(self.items(name))
            self.findings += undocumented(file, self.items(name))
            for item in self.items(name):
                for symbol in [*item.names(), *item.members]:
                    self.places.setdefault(symbol.split()[-1], (name, item))

    def items(self, page):
        return [entry for entry in self.pages[page][1] if isinstance(entry, Item)]

    def linked(self, symbol, call, page, at):
        """A name in a text: code, and a link where it is described elsewhere."""
        place = self.places.get(symbol)
        if place is None or place == (page, at):
            return f"`{symbol}{call}`"
        target = "" if place[0] == page else os.path.relpath(place[0], os.path.dirname(page) or ".") + ".md"
        return f"[`{symbol}{call}`]({target}#{place[1].anchor})"

    def prose(self, text, page, at=None):
        """The text of a comment as Markdown: paragraphs, and as code what is indented, or one call. A name is a link where it comes first."""
        out, code, seen = [], [], set()
        if re.fullmatch(r"[A-Za-z_ ]+(\(.*\)|= .*\));?", text):
            return f"```c\n{text}\n```"

        def flush():
            if code:
                out.extend(["", "```", *textwrap.dedent("\n".join(code)).split("\n"), "```", ""])
                code.clear()

        def name_of(found):
            linked = self.linked(found[1], found[2] or "", page, at) if found[1] not in seen else f"`{found[1]}{found[2] or ''}`"
            seen.add(found[1])
            return linked
        for line in text.split("\n"):
            if re.match(r"  +\S", line) or (code and not line):
                code.append(line)
                continue
            while code and not code[-1]:
                code.pop()
            flush()
            parts = re.split(r"(`[^`]*`)", line)
            for i in range(0, len(parts), 2):
                parts[i] = re.sub(r"([*<|\\])", r"\\\1", parts[i])
                parts[i] = re.sub(r"\b(bp_[a-z0-9_]*[a-z0-9]|BP_[A-Z0-9_]*[A-Z0-9])\b(?!\\?\*|_)(\(\))?",
                                  name_of, parts[i])
            out.append("".join(parts))
        while code and not code[-1]:
            code.pop()
        flush()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip("\n")

    def page(self, name):
        about, entries = self.pages[name]
        up = "../" * (3 + name.count("/"))
        out = ["<!-- Made by docs/generate from the header: change that. -->", f"# backplane/{name}.h", "",
               f"`#include <backplane/{name}.h>` ([source]({up}{ROOT}/{name}.h))", "", self.prose(about, name), ""]
        for entry in entries:
            if isinstance(entry, Item):
                out += [f"## {entry.heading()}", "", "```c", "\n".join(code for _, _, code in entry.declared), "```", ""]
                if entry.doc:
                    out += [self.prose(entry.doc, name, entry), ""]
            else:
                out += [self.prose(entry, name), ""]
        return "\n".join(out).rstrip("\n") + "\n"

    def index(self):
        out = ["<!-- Made by docs/generate from include/backplane: change that. -->", "# Headers", "",
               "All that a plugin may use, from the comments of the headers themselves. `#include <backplane/backplane.h>` brings in those that are",
               "not in `iface/` (interfaces of services), but for `resource.h`.", "", "| Header | What it is | Names |", "|---|---|---|"]
        for name in sorted(self.pages, key=lambda name: ("/" in name, name)):
            if not self.items(name):
                continue
            names = ", ".join(f"[`{symbol}`](headers/{name}.md#{item.anchor})" for item in self.items(name) for symbol in item.names())
            out.append(f"| [{name}.h](headers/{name}.md) | {first_words(self.pages[name][0])} | {names} |")
        return "\n".join(out) + "\n"


def main(folder):
    pages = Pages()
    for name in pages.pages:
        if not pages.items(name):
            continue
        file = os.path.join(folder, "headers", name + ".md")
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "w", encoding="utf-8") as out:
            out.write(pages.page(name))
    with open(os.path.join(folder, "headers.md"), "w", encoding="utf-8") as out:
        out.write(pages.index())
    if pages.findings:
        sys.exit("\n".join(pages.findings))


if __name__ == "__main__":
    main(sys.argv[1])
