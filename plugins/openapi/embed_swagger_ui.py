#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes swagger_ui.c and swagger_ui_version.h of the installed swagger-ui-dist: its bundle and style sheet, compressed.

usage: embed_swagger_ui.py PACKAGE_FOLDER OUTPUT.c OUTPUT.h

Without the package (no network when ./dev installed packages) the files are empty, and /docs says so. Outputs that would not change
are left alone, so that this may run with each build."""
import gzip
import json
import pathlib
import sys

FILES = (("swagger_ui_bundle", "swagger-ui-bundle.js"), ("swagger_ui_style", "swagger-ui.css"))


def write(path, content):
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)


def main():
    package, source, header = (pathlib.Path(argument) for argument in sys.argv[1:])
    version = "none"
    manifest = package / "package.json"
    if manifest.exists() and all((package / name).exists() for _, name in FILES):
        version = json.loads(manifest.read_text())["version"]
    stamp = source.with_suffix(".stamp")
    if stamp.exists() and stamp.read_text() == version and source.exists() and header.exists():
        return
    own_header = pathlib.Path(__file__).resolve().with_name("swagger_ui.h")
    text = f'/* Made by embed_swagger_ui.py. */\n#include "{own_header}"\n'
    for symbol, name in FILES:
        content = b"" if version == "none" else (package / name).read_bytes()
        packed = gzip.compress(content, 9, mtime=0) if content else b""
        place = source.with_name(name + ".gz")
        write(place, packed)
        text += f"""
__asm__(".pushsection .rodata\\n{symbol}_start: .incbin \\"{place.resolve()}\\"\\n{symbol}_end: .byte 0\\n.popsection");
extern const char {symbol}_start[] __attribute__((visibility("hidden")));
extern const char {symbol}_end[] __attribute__((visibility("hidden")));
const struct swagger_ui_file {symbol} = {{{symbol}_start, {symbol}_end, {len(content)}}};
"""
    write(source, text.encode())
    write(header, f'/* Made by embed_swagger_ui.py. */\n#define SWAGGER_UI_VERSION "{version}"\n'.encode())
    stamp.write_text(version)


main()
