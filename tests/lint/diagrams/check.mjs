// SPDX-License-Identifier: MIT
// Parses every Mermaid diagram of Markdown files, with the parser that draws them.
// usage: node check.mjs FILE.md...        exit status 1, and file, line and reason of each that cannot be drawn
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("");
Object.assign(globalThis, { window, document: window.document });
const { default: mermaid } = await import("mermaid");

/** Of each block: its text and the line it begins in. */
function diagrams(text) {
  const found = [];
  let block = null;
  text.split("\n").forEach((line, index) => {
    if (block && /^ {0,3}`{3,}\s*$/.test(line)) {
      found.push(block);
      block = null;
    } else if (block) {
      block.text += `${line}\n`;
    } else if (/^ {0,3}`{3,}\s*mermaid\b/.test(line)) {
      block = { line: index + 2, text: "" };
    }
  });
  return found;
}

async function problem(text) {
  try {
    await mermaid.parse(text);
    return null;
  } catch (error) {
    return error.message;
  }
}

if ((await problem("flowchart LR\n a --{")) === null) {
  console.error("the parser takes what is no diagram");
  process.exit(1);
}
let wrong = 0;
for (const file of process.argv.slice(2)) {
  for (const { line, text } of diagrams(readFileSync(file, "utf8"))) {
    const why = await problem(text);
    if (why) {
      wrong++;
      console.error(`${file}:${line}: ${why}`);
    }
  }
}
process.exit(wrong ? 1 : 0);
