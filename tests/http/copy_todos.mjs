// SPDX-License-Identifier: MIT
// What docs/events.md tells clients to copy, at work: ends when it has the todos with these titles. Arguments: server, token, titles.
import { copyTodos } from "../../docs/examples/events/follow.mjs";

const [server, token, titles] = process.argv.slice(2);
const end = new AbortController();
const changed = (todos) => {
  const now = [...todos.values()].map((todo) => todo.title).sort().join(",");
  console.log(now);
  if (now === titles) end.abort();
};

// What a server that is too busy says at first.
const answered = globalThis.fetch;
const refusals = [503, 429];
globalThis.fetch = (url, options) =>
  refusals.length > 0 && !url.includes("/events")
    ? Promise.resolve(new Response("", { status: refusals.pop(), headers: { "Retry-After": "0.02" } }))
    : answered(url, options);
await copyTodos(server, async () => token, changed, { signal: end.signal });
