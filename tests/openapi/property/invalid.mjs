// SPDX-License-Identifier: MIT
// Requests that are wrong in one way each: 4xx as documented, never a success, never a 5xx.
import { MERGE, PATCH, authorization, encode, truthful } from "./requests.mjs";
import { invalid } from "./values.mjs";

// A request that would succeed, and the account that may make it; made once for each operation.
async function base(world, operation) {
  const who = /^auth\.(me|password|log)/.test(operation.id) ? await world.account() : world.whoFor(operation);
  const request = await truthful(world, operation, world.random, who, 0);
  return { who, target: request.target, headers: authorization(operation, who), value: request.value ?? {}, json: "application/json" };
}

function validation(reply) {
  return reply.status === 400 && reply.json?.code === "validation.failed" ? undefined : "not 400 validation.failed";
}

// The error names the member that is wrong, or one within it.
function names(member) {
  return (reply) =>
    validation(reply) ??
    (reply.json.errors.some(({ pointer }) => pointer === `/${member}` || pointer.startsWith(`/${member}/`)) ? undefined : `its errors do not name /${member}`);
}

// What is trimmed may have white space around it, which its schema cannot say.
function trimmed(document, schema, value) {
  const trim = (item) => (typeof item === "string" ? item.trim() : item);
  return document.fits(schema, Array.isArray(value) ? value.map(trim) : trim(value));
}

async function members(world, operation, from, send) {
  const { document, random } = world;
  const schema = document.follow(operation.bodies["application/json"].schema);
  const whole = await world.truthful(operation, wholeBody(document, schema, from.value, random), from.who);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (schema.required?.includes(name)) {
      const { [name]: _, ...without } = whole;
      await send(`without ${name}`, without, operation.path.endsWith("/bulk") ? bulk : names(name));
    }
    for (const [what, value] of world.sample(invalid(document, property, random)))
      if (!trimmed(document, property, value)) await send(`${name} ${what}`, { ...whole, [name]: value }, operation.path.endsWith("/bulk") ? bulk : names(name));
  }
}

function bulk(reply) {
  return reply.status === 400 || reply.status === 422 || (reply.status === 200 && reply.json.data.results.some(({ status }) => status >= 400 && status < 500)) ? undefined : "nothing was refused";
}

function wholeBody(document, schema, value, random) {
  return value && !Array.isArray(value) && Object.keys(value).length > 0 ? value : Object.fromEntries((schema.required ?? []).map((name) => [name, "x".repeat(random.between(8, 20))]));
}

const SYNTAX = ["{", '{"a":}', "{'a':1}", '{"a":1,}', "[1,2", "nul", '"\\x"', '"\ud800"', '{"a":1}{', "{}x", '{"a":01}', '{"a":+1}', '{"a":.5}', '{"a":NaN}', '\ufeff{"a":1}', '{"a":1}\u0000', '{"a":"\u0001"}', "[".repeat(100) + "]".repeat(100), "[".repeat(50000), '{"a":'.repeat(50000), '{"a":"\\ud800"}', '{"a":"\\udc00\\ud800"}', "// x\n{}"];

function refused(reply) {
  return reply.status >= 400 && reply.status < 500 ? undefined : "it was not refused";
}

async function syntax(world, operation, from, types) {
  const { client } = world;
  const call = (what, type, body, expected) =>
    client.call(operation, { what: `${operation.id}: ${what}`, target: from.target, headers: { ...from.headers, "Content-Type": type }, body }, expected);
  for (const type of types) {
    for (const text of world.sample(SYNTAX)) await call("malformed", type, text, 400);
    for (const bytes of [[0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d], [0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d], [0xed, 0xa0, 0x80], [0x00]])
      await call("no UTF-8", type, Buffer.from(bytes), 400);
    for (const value of [null, true, 7, "x"]) await call("no object", type, JSON.stringify(value), 400);
    await call("another form of collection", type, type === PATCH ? "{}" : "[]", 400);
    await call("in another charset", `${type}; charset=iso-8859-1`, JSON.stringify(from.value), 415);
  }
  for (const type of ["text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "application/jsonp", "*/*", "json", "application/json-seq", "application/vnd.api+json"])
    await call(`as ${type}`, type, JSON.stringify(from.value), 415);
  await client.call(operation, { what: `${operation.id}: without a type`, target: from.target, headers: from.headers, body: JSON.stringify(from.value) }, 415);
}

// Numbers, texts and members that JSON can say and the schemas cannot.
async function extremes(world, operation, from, send) {
  const schema = world.document.follow(operation.bodies["application/json"].schema);
  for (const [name, given] of Object.entries(schema.properties ?? {})) {
    const property = world.document.follow(given), types = [property.type].flat();
    const raw = (text) => `${JSON.stringify({ ...from.value, [name]: undefined }).replace(/\}$/, Object.keys(from.value).some((key) => key !== name) ? "," : "")}${JSON.stringify(name)}:${text}}`;
    if (types.includes("integer") || types.includes("number"))
      for (const number of ["9223372036854775808", "-9223372036854775809", "1e308", "-1e308", "1e400", "123456789012345678901234567890", "0.1e-400", "1.0000000001"])
        if (!world.document.fits(property, Number(number))) await send(`${name} ${number}`, raw(number), refused);
    if (types.includes("string") && !/format|enum/.test(Object.keys(property).join()))
      for (const text of ['"a\\u0000b"', '"\\ud800"', '"\\udfff\\ud800"', '"Correct-Horse-7\\u0000"']) await send(`${name} ${text}`, raw(text), refused);
  }
}

async function parameters(world, operation, from) {
  const { client, document, random } = world;
  const call = (what, query, expected) =>
    client.call(operation, { what: `${operation.id}: ${what}`, target: `${from.target}?${query}`, headers: from.headers }, expected);
  const all = operation.in("query"), list = all.some(({ name }) => name === "page");
  for (const { name, schema, ...parameter } of all) {
    const key = encodeURIComponent(name);
    if (schema.type === "array") {
      for (const value of ["nothing", "id,,", "-", "id%00", "a".repeat(900), "*", "id;--"]) await call(`${name} ${value}`, `${key}=${value}`, names(name));
      continue;
    }
    for (const [what, value] of world.sample(invalid(document, schema, random))) {
      const text = Array.isArray(value) || (value !== null && typeof value === "object") || value === null ? JSON.stringify(value) : String(value);
      if (schema.type === "string" && document.fits(schema, text)) continue;
      if (schema.type !== "string" && (/^-?\d+$/.test(text) ? document.fits(schema, Number(text)) : ["true", "false"].includes(text) && document.fits(schema, text === "true"))) continue;
      if (encode(text).length > 7000) continue; // the whole target is too long
      await call(`${name} ${what}`, `${key}=${encode(text)}`, parameter["x-lenient"] ? 200 : names(name));
    }
    for (const text of ["%00", "%ff", "a%00b"]) await call(`${name} ${text}`, `${key}=${text}`, parameter["x-lenient"] ? 200 : names(name));
    if (list) await call(`${name} repeated`, `${key}=1&${key}=1`, names(name));
  }
  if (all.some(({ name }) => name === "fields")) await call("fields repeated", "fields=id&fields=id", names("fields"));
  if (!list) return;
  for (const name of ["nothing", "id", "userId", "password", "title[gt]", "completed[gt]", "createdAt[like]", "createdAt[", "createdAt[null]", "[gt]", "", "PAGE", "page ", "__proto__", "id[null]", "version", "q[gt]", "limit[gte]"])
    if (!all.some((parameter) => parameter.name === name)) await call(`unknown ${name}`, `${encodeURIComponent(name)}=1`, validation);
  for (const query of ["%", "%zz=1", "a%", "page=%zz&x", "=", "=&="]) await call(`malformed ${query}`, query, (reply) => (reply.status === 400 || reply.status === 200 ? undefined : "neither 400 nor 200"));
}

// Identifiers that are none.
async function ids(world, operation, from) {
  await world.client.call(operation, { what: `${operation.id}: id with NUL`, target: world.target(operation, "%00"), headers: from.headers }, 400);
  for (const id of world.sample(["x", "0", "-1", "null", "undefined", "1%20OR%201=1", "%27%3B--", "0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6", "0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6ff", "0190a8b45c3e7d219f601a2b3c4d5e6f", "{0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f}", "0190a8b4-5c3e-7d21-9f60-1a2b3c4d5eg6", "x".repeat(1000), "%ff", "%F0%9F%98%80", "..%2f..%2fetc"]))
    await world.client.call(
      operation,
      { what: `${operation.id}: id ${id}`, target: world.target(operation, id), headers: { ...from.headers, ...(operation.bodies[MERGE] || operation.bodies["application/json"] ? { "Content-Type": "application/json" } : {}) }, body: Object.keys(operation.bodies).length ? JSON.stringify(from.value) : undefined },
      (reply) => validation(reply),
    );
}

// Header fields that are looked at.
async function fieldsOf(world, operation, from) {
  const type = Object.keys(operation.bodies)[0];
  const call = (what, headers, expected) =>
    world.client.call(operation, { what: `${operation.id}: ${what}`, target: from.target, headers: { ...from.headers, ...(type ? { "Content-Type": type } : {}), ...headers }, body: type ? JSON.stringify(from.value) : undefined }, expected);
  const looked = operation.in("header").map(({ name }) => name);
  if (looked.includes("Idempotency-Key")) for (const key of ["", " ", "x".repeat(300), "with space", "ä", '"'.repeat(2)]) await call(`Idempotency-Key ${key}`, { "Idempotency-Key": Buffer.from(key).toString("latin1") }, 400);
  if (looked.includes("If-Match")) for (const etag of ['"999999"', '"x"', 'W/"1"', '"1', "1", ""]) await call(`If-Match ${etag}`, { "If-Match": etag }, [412, 400]);
}

export async function run(world, count) {
  world.sample = (items) => world.random.shuffled(items).slice(0, count);
  for (const operation of world.document.operations) {
    const hasBody = "application/json" in operation.bodies;
    const from = await base(world, operation);
    const send = (what, value, expected) =>
      world.client.call(operation, { what: `${operation.id}: ${what}`, target: from.target, headers: { ...from.headers, "Content-Type": "application/json" }, body: typeof value === "string" ? value : JSON.stringify(value) }, expected);
    if (hasBody) {
      if (Array.isArray(from.value)) from.value = {};
      await members(world, operation, from, send);
      await extremes(world, operation, from, send);
      await syntax(world, operation, from, Object.keys(operation.bodies));
    }
    await parameters(world, operation, from);
    if (operation.path.includes("{id}")) await ids(world, operation, from);
    await fieldsOf(world, operation, from);
  }
}
