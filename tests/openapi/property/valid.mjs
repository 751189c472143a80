// SPDX-License-Identifier: MIT
// Valid requests: those that name what exists succeed; the others get any documented reply but one that finds fault with their form.
import { formal, truthful } from "./requests.mjs";

// Each of these hashes a password, or ends the account's sessions.
const COSTLY = /^auth\.(sign_up|login|logout|logout_all|password|me_update|me_delete|forgot|reset|verify|refresh|session_end)/;
const FORM = ["validation.failed", "http.malformed_json", "json_patch.malformed", "bulk.malformed", "http.unsupported_media_type", "http.not_acceptable"];

async function succeed(world, operation, random) {
  const costly = COSTLY.test(operation.id);
  const who = costly && operation.id !== "auth.sign_up" ? await world.account() : world.whoFor(operation);
  const request = await truthful(world, operation, random, who);
  if (operation.id === "auth.reset" || operation.id === "auth.verify") {
    const body = JSON.parse(request.body);
    if (operation.id === "auth.reset") await world.post("/api/v1/auth/password/forgot", { email: who.email });
    body.token = await world.mailed(who.email, operation.id === "auth.reset" ? "Reset" : "Verify");
    request.body = JSON.stringify(body);
  }
  // A made-up position may be one that nothing has yet.
  await world.client.call(operation, request, (reply) =>
    reply.status < 300 || reply.json?.code === "sync.expired" ? undefined : "a valid request did not succeed");
}

export async function run(world, count) {
  const { client, random } = world;
  for (const operation of world.document.operations) {
    if (operation.id === "events.stream") continue; // a stream has no end
    const costly = COSTLY.test(operation.id);
    for (let i = 0; i < Math.max(1, costly ? Math.floor(count / 20) : count); i++) await succeed(world, operation, random);
    for (let i = 0; i < (costly ? Math.ceil(count / 10) : count); i++) {
      if (/logout|me_delete|auth\.password$/.test(operation.id)) continue;
      await client.call(operation, formal(world, operation, random), (reply) =>
        FORM.includes(reply.json?.code) ? "a request of a valid form was refused for its form" : undefined);
    }
  }
}
