// SPDX-License-Identifier: MIT
// What belongs to another is not there; what the server sets, clients do not; a cursor is good for the list that it was given out for.
import { authorization, encode, queryOf, query, truthful } from "./requests.mjs";

const NOBODY = "0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f";
const FORGED = {
  id: NOBODY, userId: NOBODY, user_id: NOBODY, ownerId: NOBODY, owner: NOBODY, role: "admin", disabled: true, createdAt: "2001-01-01T00:00:00.000Z",
  updatedAt: "2001-01-01T00:00:00.000Z", created_at: "2001-01-01T00:00:00Z", version: 4711, position: -4711.5, completedAt: "2001-01-01T00:00:00.000Z",
  emailVerifiedAt: "2001-01-01T00:00:00.000Z", passwordHash: "x", password_hash: "x", sid: NOBODY, prefix: "ffffffff", key: "bpk_x", lastUsedAt: "2001-01-01T00:00:00Z",
  constructor: { prototype: {} },
};

// Ids of Ada's with Bob's token, and those of nobody with Ada's.
async function foreign(world, operation) {
  const { client, random, ada, bob } = world;
  const request = await truthful(world, operation, random, ada, 0);
  for (const [what, id, who] of [["another's id", request.id, bob], ["nobody's id", NOBODY, ada]])
    await client.call(operation, { ...request, what: `${operation.id}: ${what}`, target: world.target(operation, id), headers: { ...request.headers, ...authorization(operation, who) } }, 404);
  return request;
}

// What Ada has is as it was.
async function unchanged(world, operation, request) {
  const get = world.document.operations.find((one) => one.path === operation.path && one.method === "GET");
  if (get) await world.client.call(get, { what: `${operation.id}: is it still there`, target: world.target(get, request.id), headers: authorization(get, world.ada) }, 200);
}

// Names in a body what belongs to another.
async function foreignMembers(world, operation) {
  const { client, random, ada, bob } = world;
  const request = await truthful(world, operation, random, ada, 0);
  if (!request.value || Array.isArray(request.value)) return;
  const schema = world.document.follow(operation.bodies["application/json"].schema);
  for (const name of Object.keys(schema.properties ?? {}).filter((key) => ["listId", "after", "before"].includes(key))) {
    const theirs = name === "listId" ? await world.list(bob) : await world.create(operation.path.slice(0, operation.path.indexOf("/{id}")), bob);
    const value = { ...request.value, [name]: theirs.id };
    const headers = { ...request.headers, "Content-Type": "application/json" };
    await client.call(operation, { ...request, what: `${operation.id}: another's ${name}`, headers, body: JSON.stringify(value) }, 404);
  }
}

// known: what clients may write.
function differs(before, after, known) {
  for (const [name, value] of Object.entries(FORGED)) {
    if (name in known || !after || !(name in after)) continue;
    if (JSON.stringify(after[name]) === JSON.stringify(value)) return `${name} was assigned`;
    if (before && ["id", "userId", "createdAt", "role", "disabled", "position"].includes(name) && JSON.stringify(after[name]) !== JSON.stringify(before[name])) return `${name} was changed`;
  }
  return undefined;
}

// Members that the server sets are ignored or refused, and never assigned.
async function assignment(world, operation, who) {
  const { client, random, document } = world;
  const request = await truthful(world, operation, random, who, 0);
  const get = document.operations.find((one) => one.path === operation.path && one.method === "GET" && one.path.includes("{id}"));
  const read = async () => (get ? (await client.call(get, { target: world.target(get, request.id), headers: authorization(get, who) }, 200)).json?.data : undefined);
  const known = document.follow(operation.bodies["application/json"].schema).properties ?? {};
  const before = await read();
  for (const type of Object.keys(operation.bodies)) {
    const forged = Object.entries(FORGED).filter(([name]) => !(name in known));
    const headers = { ...request.headers, "Content-Type": type };
    if (/json-patch/.test(type)) {
      for (const [name, value] of forged)
        for (const op of ["add", "replace"])
          await client.call(operation, { ...request, what: `${operation.id}: ${op} ${name}`, headers, body: JSON.stringify([{ op, path: `/${name}`, value }]) }, (reply) => (reply.status < 300 ? differs(before, reply.json?.data, known) : undefined));
    } else {
      const body = operation.path.endsWith("/bulk")
        ? { operations: request.value.operations.map((item) => (item.data ? { ...item, data: { ...item.data, ...Object.fromEntries(forged) } } : item)) }
        : { ...(Array.isArray(request.value) ? {} : request.value), ...Object.fromEntries(forged) };
      await client.call(operation, { ...request, what: `${operation.id}: forged members`, headers, body: JSON.stringify(body) }, (reply) => {
        if (reply.status >= 300) return [400, 409].includes(reply.status) ? undefined : "neither ignored nor refused";
        const all = reply.json.data?.results ?? [{ body: reply.json }];
        return all.map(({ body: one }) => differs(before, one.data ?? one.user, known)).find(Boolean);
      });
    }
  }
  if (before) {
    const after = await read();
    const reason = differs(before, after, known);
    if (reason) client.problem({ ...request, what: operation.id, method: operation.method }, undefined, reason);
  }
}

const TAMPER = [
  (cursor) => cursor.slice(0, -1), (cursor) => `${cursor}A`, (cursor) => cursor.slice(1), () => "x", () => "%00", () => "AAAA".repeat(20),
  (cursor) => (cursor.startsWith("A") ? "B" : "A") + cursor.slice(1), (cursor) => [...cursor].reverse().join(""), (cursor) => cursor.toUpperCase(), (cursor) => cursor + cursor,
];

async function cursors(world, operation) {
  const { client, random, ada, bob, document } = world;
  const who = world.whoFor(operation), collection = operation.path;
  if (!collection.includes("/admin/")) for (let i = 0; i < 3; i++) for (const account of [ada, bob]) await world.create(collection, account);
  const get = (what, pairs, expected, account = who) =>
    client.call(operation, { what: `${operation.id}: ${what}`, target: collection + queryOf(pairs), headers: authorization(operation, account) }, expected);
  const first = await get("the first page", [["limit", 1], ["sort", "-createdAt"]], 200);
  const cursor = first.json?.data?.meta?.nextCursor;
  if (!cursor) return client.problem({ what: operation.id, method: "GET", target: collection }, first, "it has no nextCursor");
  const next = [["limit", 1], ["sort", "-createdAt"], ["cursor", encode(cursor)]];
  await get("its cursor", next, 200);
  for (const tamper of TAMPER) await get("a changed cursor", [next[0], next[1], ["cursor", encode(tamper(cursor))]], 400);
  for (let i = 0; i < 30; i++) {
    const at = random.below(cursor.length), letter = random.pick([..."ABCXYZabcxyz0189_-"]);
    const changed = cursor.slice(0, at) + letter + cursor.slice(at + 1);
    // The last letter of base64 may hold bits that mean nothing.
    if (changed !== cursor && Buffer.from(changed, "base64url").compare(Buffer.from(cursor, "base64url")) !== 0) await get(`a cursor changed at ${at}`, [next[0], next[1], ["cursor", encode(changed)]], 400);
  }
  await get("of another sort", [["sort", "createdAt"], ["cursor", encode(cursor)]], 400);
  const filter = query(document, operation, random, 1).find(([name]) => name.startsWith("createdAt["));
  await get("of other filters", [...next, filter], 400);
  await get("with a page", [...next, ["page", 2]], 400);
  if (who === ada) await get("another's cursor", next, 400, bob);
  for (const other of document.operations.filter((one) => one.in("query").some(({ name }) => name === "cursor") && one !== operation))
    await client.call(other, { what: `${other.id}: cursor of ${operation.id}`, target: other.path + queryOf(next), headers: authorization(other, world.whoFor(other)) }, 400);
}

export async function run(world, count) {
  for (const operation of world.document.operations) {
    const body = "application/json" in operation.bodies;
    const throwaway = /^auth\.(me|password|refresh|reset|verify)/.test(operation.id);
    if (operation.secured && operation.path.includes("{id}") && !operation.path.includes("/admin/"))
      for (let i = 0; i < count; i++) await unchanged(world, operation, await foreign(world, operation));
    if (operation.path.includes("/admin/") && operation.path.includes("{id}"))
      await world.client.call(operation, { what: `${operation.id}: nobody's id`, target: world.target(operation, NOBODY), headers: { ...authorization(operation, world.admin), "Content-Type": "application/json" }, body: body ? "{}" : undefined }, 404);
    if (operation.secured && body && !/^auth\./.test(operation.id)) await foreignMembers(world, operation);
    if (body) for (let i = 0; i < (throwaway || operation.id.startsWith("auth.") ? 1 : count); i++) await assignment(world, operation, throwaway ? await world.account() : world.whoFor(operation));
    if (operation.in("query").some(({ name }) => name === "cursor")) await cursors(world, operation);
  }
}
