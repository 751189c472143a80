#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""embed_lines.py OUTPUT FILE NAME: the lines of FILE, sorted by their bytes, as the C array NAME."""
import sys

output, source, name = sys.argv[1:]
with open(source, encoding="ascii") as lines:
    words = lines.read().splitlines()
if words != sorted(set(words)):
    sys.exit(source + ": is not sorted, or has a line twice")
with open(output, "w", encoding="ascii") as header:
    header.write("static const char *const %s[] = {\n" % name)
    for word in words:
        header.write('    "%s",\n' % word.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?"))
    header.write("};\n")
