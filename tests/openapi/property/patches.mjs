// SPDX-License-Identifier: MIT
// JSON Patches that are meant to hurt: each is answered at once, with 4xx or what it comes to, and takes no memory worth speaking of. And what
// Accept asks for.
import { PATCH, authorization, truthful } from "./requests.mjs";

const SECONDS_MAX = 2;

const BOMBS = {
  "10,000 operations": () => Array.from({ length: 10000 }, () => ({ op: "test", path: "/completed", value: false })),
  "101 operations": () => Array.from({ length: 101 }, () => ({ op: "replace", path: "/description", value: "x" })),
  "copies that double": () => [{ op: "add", path: "/x", value: ["x".repeat(1000)] }, ...Array.from({ length: 60 }, (_, i) => ({ op: "copy", from: "/x", path: `/x/${i}` }))],
  "copies of the whole": () => Array.from({ length: 60 }, (_, i) => ({ op: "copy", from: "", path: `/x${i}` })),
  "copies into themselves": () => [{ op: "add", path: "/x", value: {} }, ...Array.from({ length: 60 }, (_, i) => ({ op: "copy", from: "/x", path: `/x/y${i}` }))],
  "a move into itself": () => [{ op: "add", path: "/x", value: {} }, { op: "move", from: "/x", path: "/x/y" }],
  "a deep path": () => [{ op: "add", path: "/x".repeat(10000), value: 1 }],
  "a long path": () => [{ op: "add", path: `/${"x".repeat(100000)}`, value: 1 }],
  "deep values": () => [{ op: "add", path: "/x", value: JSON.parse("[".repeat(60) + "]".repeat(60)) }, ...Array.from({ length: 50 }, () => ({ op: "copy", from: "/x", path: `/x${"/0".repeat(59)}/-` }))],
  "a huge index": () => [{ op: "add", path: "/tags/99999999999999999999", value: "x" }],
  "a negative index": () => [{ op: "add", path: "/tags/-1", value: "x" }],
  "an index with a zero": () => [{ op: "add", path: "/tags/00", value: "x" }],
  "the whole replaced": () => [{ op: "replace", path: "", value: { id: "x" } }],
  "the whole removed": () => [{ op: "remove", path: "" }],
  "the whole an array": () => [{ op: "replace", path: "", value: [] }],
  "escapes": () => [{ op: "add", path: "/~2~", value: 1 }],
  "no slash": () => [{ op: "add", path: "title", value: "x" }],
  "__proto__": () => [{ op: "add", path: "/__proto__/role", value: "admin" }],
  "paths that are none": () => [{ op: "add", path: 7, value: 1 }],
  "no path": () => [{ op: "remove" }],
  "no value": () => [{ op: "add", path: "/description" }],
  "no from": () => [{ op: "copy", path: "/description" }],
  "another op": () => [{ op: "run", path: "/title", value: "x" }],
  "no op": () => [{ path: "/title", value: "x" }],
  "null": () => [null],
  "values of a megabyte": () => [{ op: "add", path: "/x", value: "x".repeat(1 << 20) }, ...Array.from({ length: 90 }, (_, i) => ({ op: "copy", from: "/x", path: `/x${i}` }))],
  "tests of a megabyte": () => [{ op: "add", path: "/x", value: Array.from({ length: 50000 }, (_, i) => i) }, ...Array.from({ length: 90 }, () => ({ op: "test", path: "/x", value: [] }))],
};

async function patches(world, operation, random) {
  const who = world.whoFor(operation);
  const { target } = await truthful(world, operation, random, who, 0);
  const headers = { ...authorization(operation, who), "Content-Type": PATCH };
  for (const [what, make] of Object.entries(BOMBS)) {
    const body = JSON.stringify(make()), began = Date.now();
    await world.client.call(operation, { what: `${operation.id}: ${what}`, target, headers, body }, (reply) => {
      if (Date.now() - began > SECONDS_MAX * 1000) return `it took ${Date.now() - began} ms`;
      return reply.status >= 400 || reply.body.length < 100000 ? undefined : "its reply is too large";
    });
  }
  for (const what of ["10,000 operations", "101 operations", "no path", "another op", "null", "a move into itself"])
    await world.client.call(operation, { what: `${operation.id}: ${what}`, target, headers, body: JSON.stringify(BOMBS[what]()) }, [400, 422]);
}

// What is JSON is sent to all but those who exclude it.
const ACCEPT = [
  ["*/*", true], ["application/json", true], ["text/html", true], ["image/png", true], ["text/html,application/xhtml+xml,*/*;q=0.8", true], ["application/*;q=0.1", true],
  ["application/problem+json", true], ["application/json;q=0.001", true], ["application/json;q=0, application/problem+json", true], ["*/*;q=0, application/json", true], ["", true], [",", true],
  ["application/json;q=0", false], ["application/json; q=0.000", false], ["text/html, */*;q=0", false], ["application/*;q=0", false], ["application/json;q=0, */*", false],
  ["APPLICATION/JSON;Q=0", false], ["*/*;q=0, application/problem+json;q=0", false],
];

async function accepts(world, operation, random) {
  if (!Object.entries(operation.own.responses).some(([status]) => status === "406")) return;
  const who = world.whoFor(operation);
  const { target, headers, body } = await truthful(world, operation, random, who, 0);
  for (const [value, taken] of ACCEPT) {
    if (taken && (body || operation.method === "DELETE")) continue; // it would be done
    await world.client.call(operation, { what: `${operation.id}: Accept ${value}`, target, headers: { ...headers, Accept: value }, body }, (reply) =>
      (reply.status === 406) === !taken ? undefined : taken ? "406" : "not 406");
  }
}

export async function run(world) {
  for (const operation of world.document.operations) {
    if (operation.bodies[PATCH]) await patches(world, operation, world.random);
    if (!/^auth\.logout/.test(operation.id)) await accepts(world, operation, world.random);
  }
}
