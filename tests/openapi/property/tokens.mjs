// SPDX-License-Identifier: MIT
// Without a good token no secured operation does anything; without the role no administrator's.
import { createHmac, createSign, generateKeyPairSync } from "node:crypto";
import { truthful } from "./requests.mjs";

const NOBODY = "0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f";

function base64(value) {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}

function hmac(head, payload, secret, hash = "sha256") {
  const signed = `${base64(head)}.${base64(payload)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest("base64url")}`;
}

// [what, value of Authorization], each for one reason no good.
function forgeries(world, good, deleted) {
  const { secret } = world;
  const now = Math.floor(Date.now() / 1000);
  const claims = JSON.parse(Buffer.from(good.split(".")[1], "base64url"));
  const head = { alg: "HS256", typ: "JWT" };
  const own = (payload, more = {}) => hmac({ ...head, ...more }, payload, secret);
  const [h, p, s] = good.split(".");
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = rsa.publicKey.export({ type: "spki", format: "pem" });
  const rs256 = `${base64({ alg: "RS256", typ: "JWT" })}.${base64(claims)}`;
  const { iat: _, ...timeless } = claims;
  const tokens = [
    ...["none", "None", "NONE", "nOnE", ""].map((alg) => [`alg ${alg}`, `${base64({ alg, typ: "JWT" })}.${p}.`]),
    ["alg none with the signature", `${base64({ alg: "none" })}.${p}.${s}`],
    ["no alg", own(claims, { alg: undefined })],
    ["another hash", hmac({ ...head, alg: "HS512" }, claims, secret, "sha512")],
    ["another alg over the same hash", own(claims, { alg: "HS384" })],
    ["another case of alg", own(claims, { alg: "hs256" })],
    ["another key", hmac(head, claims, `${secret}x`)],
    ["no key", hmac(head, claims, "")],
    ["RS256 with a key of one's own", `${rs256}.${createSign("sha256").update(rs256).sign(rsa.privateKey, "base64url")}`],
    ["a public key as the secret", hmac(head, claims, pem)],
    ["a key within the token", own(claims, { alg: "RS256", jwk: rsa.publicKey.export({ format: "jwk" }) })],
    ["a set of keys elsewhere", hmac({ ...head, jku: "http://127.0.0.1:1/keys", x5u: "http://127.0.0.1:1/x" }, claims, "x")],
    ...["other", "", "../../../dev/null", "' OR '1'='1", "/dev/null", "\u0000", 7, null, [], {}].map((kid) => [`kid ${JSON.stringify(kid)}`, own(claims, { kid })]),
    ["an unknown crit", own(claims, { crit: ["exp"], exp: 1 })],
    ["another typ", own(claims, { typ: "at+jwt" })],
    ["encrypted", own(claims, { enc: "A128GCM", alg: "dir" })],
    ["expired", own({ ...claims, exp: now - 1 })],
    ["expired now", own({ ...claims, exp: now })],
    ["no exp", own({ ...claims, exp: undefined })],
    ["exp a text", own({ ...claims, exp: String(now + 1000) })],
    ["exp beyond all", own(`{"id":"${claims.id}","sub":"${claims.id}","iat":${now},"exp":1e400}`)],
    ["not yet valid", own({ ...claims, nbf: now + 1000 })],
    ["another sub", own({ ...claims, sub: NOBODY })],
    ["another id", own({ ...claims, id: NOBODY })],
    ["nobody", own({ ...claims, id: NOBODY, sub: NOBODY, sid: undefined })],
    ["id a number", own({ ...claims, id: 7, sub: undefined })],
    ["id an array", own({ ...claims, id: [claims.id] })],
    ["id an object", own({ ...claims, id: { $ne: null } })],
    ["id null", own({ ...claims, id: null })],
    ["no id", own({ ...claims, id: undefined })],
    ["id no UUID", own({ ...claims, id: "admin", sub: "admin" })],
    ["id with more", own({ ...claims, id: `${claims.id}'--`, sub: `${claims.id}'--` })],
    ["another issuer", own({ ...claims, iss: "https://example.com" })],
    ["a session of nobody", own({ ...claims, sid: NOBODY })],
    ["iat in the future", own({ ...timeless, iat: "x" })],
    ["a payload changed", `${h}.${base64({ ...claims, role: "admin" })}.${s}`],
    ["no signature", `${h}.${p}.`],
    ["two parts", `${h}.${p}`],
    ["four parts", `${good}.${s}`],
    ["the signature cut", good.slice(0, -2)],
    ["the signature longer", `${good}AAAA`],
    ["padded", `${good}==`],
    ["a payload that is no object", own("[]")],
    ["a payload that is no JSON", own("{")],
    ["of an account that is gone", deleted],
    ["garbage", "x"],
    ["dots", ".."],
    ["long", "A".repeat(9000)],
    ["an API key of nobody", "bpk_00000000_0000000000000000000000000000000000000000000"],
  ];
  return [
    ...tokens.map(([what, token]) => [what, `Bearer ${token}`]),
    ["nothing", undefined],
    ["no scheme", good],
    ["another scheme", `Basic ${Buffer.from("a:b").toString("base64")}`],
    ["another scheme with the token", `Token ${good}`],
    ["no token", "Bearer"],
    ["two tokens in one field", `Bearer ${good}, Bearer ${good}`],
    ["with more behind it", `Bearer ${good} x`],
    ["two fields", [`Bearer ${good}`, `Bearer ${good}`]],
    ["two fields, one bad", [`Bearer x`, `Bearer ${good}`]],
  ];
}

export async function run(world, count) {
  const { client, random, document } = world;
  const gone = await world.account();
  await client.send({ method: "DELETE", target: "/api/v1/auth/me", headers: { Authorization: `Bearer ${gone.token}`, "Content-Type": "application/json" }, body: JSON.stringify({ currentPassword: gone.password }) });
  const forged = forgeries(world, world.ada.token, gone.token);
  const probe = document.operation("auth.me");
  await client.call(probe, { what: "the token itself is good", target: probe.path, headers: { Authorization: `Bearer ${world.ada.token}` } }, 200);
  for (const [what, value] of forged)
    await client.call(probe, { what: `auth.me: ${what}`, target: probe.path, headers: value === undefined ? {} : { Authorization: value } }, (reply) =>
      reply.status === 401 && reply.headers["www-authenticate"] ? undefined : "not 401 with a challenge");
  for (const operation of document.operations.filter(({ secured }) => secured)) {
    const request = await truthful(world, operation, random, world.whoFor(operation), 0);
    delete request.headers.Authorization;
    for (const [what, value] of [...random.shuffled(forged).slice(0, count * 4), ["nothing", undefined]])
      await client.call(operation, { ...request, what: `${operation.id}: ${what}`, headers: { ...request.headers, ...(value === undefined ? {} : { Authorization: value }) } }, 401);
    await client.call(operation, { ...request, what: `${operation.id}: an API key of nobody`, headers: { ...request.headers, "X-API-Key": "bpk_00000000_0000000000000000000000000000000000000000000" } }, 401);
    if (operation.path.includes("/admin/"))
      await client.call(operation, { ...request, what: `${operation.id}: a user`, headers: { ...request.headers, Authorization: `Bearer ${world.ada.token}` } }, 403);
  }
}
