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
await copyTodos(server, async () => token, changed, { signal: end.signal });
