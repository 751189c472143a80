// SPDX-License-Identifier: MIT
// Requests generated from the server's own OpenAPI document, and what must be true of every reply.
// usage: node property.mjs PART URL      PART: a module of property/; exit status 1 and the reasons when anything is not as it should be
// PROPERTY_SEED and PROPERTY_COUNT (requests of a kind for each operation) in the environment; the seed is printed.
import { Client } from "./property/client.mjs";
import { Document } from "./property/document.mjs";
import { Random } from "./property/random.mjs";
import { World } from "./property/world.mjs";

const [part, url] = process.argv.slice(2);
const seed = Number(process.env.PROPERTY_SEED || Date.now() % 2 ** 32) >>> 0;
const count = Number(process.env.PROPERTY_COUNT || 10);
const admin = { email: process.env.PROPERTY_ADMIN, password: process.env.PROPERTY_PASSWORD };

const json = await (await fetch(`${url}/openapi.json`)).json();
const client = new Client(url, new Document(json));
const world = new World(client, new Random(seed), { folder: process.env.PROPERTY_FOLDER, secret: process.env.PROPERTY_SECRET });
const began = Date.now();
try {
  await world.start(admin);
  await (await import(`./property/${part}.mjs`)).run(world, count);
} catch (error) {
  client.problems.push(String(error.stack ?? error));
} finally {
  client.close();
}
console.log(`${part}: ${client.requests} requests in ${Date.now() - began} ms, ${client.problems.length} problems; PROPERTY_SEED=${seed} PROPERTY_COUNT=${count}`);
for (const problem of client.problems) console.log(`\n${problem}`);
process.exitCode = client.problems.length > 0 ? 1 : 0;
