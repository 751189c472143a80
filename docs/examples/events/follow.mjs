// SPDX-License-Identifier: MIT
// What happens to an account, as it happens, without a gap. For browsers and Node.js 18 or later; copy it.

const SILENCE = 45000; // the server says something every 15 s
const WHOLE = new Set(["todo.created", "todo.updated", "todo.completed"]); // these show all of the todo
const PATIENT = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Yields events: { id, type, at, data }. Connects again by itself, and goes on where it was. An event of the type "resync" says that some are
 * not known any more: read everything again. Throws when the server refuses for good.
 *
 *   for await (const event of follow("https://api.example.com", () => token)) console.log(event.type, event.data);
 *
 * token: a function that gives a token, or a promise of one; asked each time that it connects. since: a position to begin behind.
 * types: an array, to hear of these only. signal: of an AbortController, to end it.
 */
export async function* follow(server, token, { since, types, signal } = {}) {
  const place = { since, retry: 2000 };
  for (let failures = 0; !signal?.aborted; ) {
    try {
      for await (const event of connect(server, await token(), place, types, signal)) {
        failures = 0;
        yield event;
      }
      failures = 0; // an end that the server wanted
    } catch (error) {
      if (error.refused) throw error;
      failures = Math.min(failures + 1, 5);
    }
    if (!signal?.aborted) await sleep(place.retry * 2 ** failures * (0.5 + Math.random()), signal);
  }
}

async function* connect(server, token, place, types, signal) {
  const query = new URLSearchParams();
  if (place.since !== undefined) query.set("since", place.since);
  if (types) query.set("types", types.join(","));
  const silent = new AbortController();
  const giveUp = () => silent.abort();
  signal?.addEventListener("abort", giveUp);
  let timer = setTimeout(giveUp, SILENCE);
  try {
    const reply = await fetch(`${server}/api/v1/events?${query}`, {
      headers: { Authorization: `Bearer ${token}` }, cache: "no-store", signal: silent.signal,
    });
    if (!reply.ok)
      throw Object.assign(new Error(`${reply.status} ${await reply.text()}`), { refused: !PATIENT.has(reply.status) });
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "", id, data;
    for (let part; !(part = await reader.read()).done; ) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, SILENCE);
      const lines = (rest + part.value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith("id: ")) id = line.slice(4);
        else if (line.startsWith("data: ")) data = line.slice(6);
        else if (line.startsWith("retry: ")) place.retry = Number(line.slice(7));
        else if (line === "") {
          if (id !== undefined) place.since = id; // also without data: nothing happened up to there
          if (data !== undefined) yield JSON.parse(data);
          id = data = undefined;
        }
      }
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
    silent.abort();
  }
}

/**
 * A copy of all todos that stays true: calls changed(todos) with a Map of them by id, first when all are there, then after each change.
 */
export async function copyTodos(server, token, changed, { signal } = {}) {
  const get = async (path) => {
    for (let failures = 0; ; failures++) {
      const reply = await fetch(`${server}/api/v1/todos${path}`, { headers: { Authorization: `Bearer ${await token()}` }, signal });
      if (reply.ok) return (await reply.json()).data;
      const text = await reply.text();
      if (!PATIENT.has(reply.status) || failures === 8) throw new Error(`${reply.status} ${text}`);
      const seconds = Number(reply.headers.get("Retry-After")) || Math.min(2 ** failures, 30);
      await sleep(seconds * 1000 * (1 + Math.random() / 4), signal);
      signal?.throwIfAborted();
    }
  };
  while (!signal?.aborted) {
    const todos = new Map();
    const { nextSince: since } = await get("/changes"); // first: what changes while the pages are read comes again
    for (let path = "?limit=100&sort=createdAt"; path; ) {
      const { data, meta } = await get(path);
      for (const todo of data) todos.set(todo.id, todo);
      path = meta.nextCursor && `?limit=100&sort=createdAt&cursor=${encodeURIComponent(meta.nextCursor)}`;
    }
    changed(todos);
    for await (const event of follow(server, token, { since, signal })) {
      if (event.type === "resync") break; // from the beginning
      if (event.type === "todo.deleted") todos.delete(event.data.id);
      else if (WHOLE.has(event.type)) keepNewer(todos, event.data);
      else continue;
      changed(todos);
    }
  }
}

/* A page that was read after the position may have been further on. */
function keepNewer(todos, todo) {
  const known = todos.get(todo.id);
  if (!known || known.version <= todo.version) todos.set(todo.id, todo);
}

function sleep(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
