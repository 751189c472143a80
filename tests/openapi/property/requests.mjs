// SPDX-License-Identifier: MIT
// Requests made of what the document says of an operation.
import { valid } from "./values.mjs";

export const MERGE = "application/merge-patch+json", PATCH = "application/json-patch+json";

export function encode(value) {
  return encodeURIComponent(typeof value === "string" ? value : JSON.stringify(value));
}

// In the form of RFC 6570 that the parameter has; a list sorts by no member twice, whichever way.
function inQuery(schema, value) {
  if (schema.type !== "array") return encode(value);
  const names = value.map((name) => name.replace("-", ""));
  return value.filter((_, i) => names.indexOf(names[i]) === i).map(encode).join(",");
}

export function queryOf(pairs) {
  return pairs.length ? `?${pairs.map(([name, value]) => `${encodeURIComponent(name)}=${value}`).join("&")}` : "";
}

// Values of the parameters that the operation has, some of them: [[name, encoded]].
export function query(document, operation, random, probability) {
  const parameters = operation.in("query").filter((p) => p.name !== "cursor");
  return random.shuffled(
    parameters
      .filter((parameter) => parameter.required || random.chance(probability))
      .map((parameter) => [parameter.name, inQuery(parameter.schema, valid(document, parameter.schema, random))]),
  );
}

const KNOWN_FIELDS = {
  "Accept-Encoding": (random) => random.pick(["gzip", "br", "br, gzip;q=0.5", "identity", "*", "gzip;q=0, *;q=0.1", ""]),
  "If-None-Match": (random) => random.pick(['"1"', '"nothing"', "*", 'W/"1", "2"']),
  "Idempotency-Key": (random) => `key-${random.uuid()}`,
};

// Header fields that the operation looks at, some of them. If-Match is left to those who know a version.
export function fields(operation, random) {
  const result = {};
  for (const { name } of operation.in("header"))
    if (KNOWN_FIELDS[name] && random.chance(0.3)) result[name] = KNOWN_FIELDS[name](random);
  if (random.chance(0.2)) result.Accept = random.pick(["*/*", "application/json", "application/problem+json", "application/*;q=0.5, text/html"]);
  return result;
}

// A JSON Patch that makes changes which the merge patch of the operation could make as well.
export async function patch(world, operation, random, who) {
  const schema = world.document.follow(operation.bodies[MERGE].schema);
  const body = await world.truthful(operation, valid(world.document, schema, random), who);
  const operations = [];
  for (const [name, value] of Object.entries(body)) {
    operations.push({ op: random.pick(["add", "replace"]), path: `/${name}`, value });
    if (typeof value === "boolean") operations.push({ op: "test", path: `/${name}`, value });
    if (value === null && random.chance(0.5)) operations.push({ op: "remove", path: `/${name}` });
  }
  return operations;
}

export function authorization(operation, who) {
  return operation.secured && who ? { Authorization: `Bearer ${who.token}` } : {};
}

// A request by the schemas alone: its ids name nothing.
export function formal(world, operation, random) {
  const { document } = world;
  const request = {
    what: `${operation.id}: valid in form`,
    target: world.target(operation) + queryOf(query(document, operation, random, 0.15)),
    headers: { ...authorization(operation, world.whoFor(operation)), ...fields(operation, random) },
  };
  const type = random.pick(Object.keys(operation.bodies));
  if (type) {
    request.headers["Content-Type"] = random.chance(0.2) ? `${type}; charset=utf-8` : type;
    request.body = JSON.stringify(valid(document, operation.bodies[type].schema, random));
  }
  return request;
}

// A request that must succeed. probability: of each parameter and header field that it need not have.
export async function truthful(world, operation, random, who, probability = 0.15) {
  const { document } = world;
  const id = operation.path.includes("{id}") ? await world.idFor(operation, who) : undefined;
  const pairs = query(document, operation, random, probability).filter(([name]) => !(name === "listId"));
  const request = {
    what: `${operation.id}: valid`,
    id,
    target: world.target(operation, id) + queryOf(pairs),
    headers: { ...authorization(operation, who), ...(probability > 0 ? fields(operation, random) : {}) },
  };
  delete request.headers["If-None-Match"];
  const type = random.pick(Object.keys(operation.bodies));
  if (type) {
    const body = type === PATCH ? await patch(world, operation, random, who)
      : await world.truthful(operation, valid(document, operation.bodies[type].schema, random), who);
    request.value = body;
    request.headers["Content-Type"] = type;
    request.body = JSON.stringify(body);
  }
  return request;
}
