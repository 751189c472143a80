// SPDX-License-Identifier: MIT
// What the document cannot say: accounts, their passwords and tokens, and what exists that an id can name.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { valid } from "./values.mjs";

const PASSWORD = "Correct-Horse-7";
const AUTH = "/api/v1/auth";

export class World {
  constructor(client, random, options) {
    Object.assign(this, { client, random, ...options });
    this.document = client.document;
    this.accounts = 0;
  }

  async post(target, body, token) {
    const headers = { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    const reply = await this.client.send({ method: "POST", target, headers, body: JSON.stringify(body) });
    if (reply.status >= 300) throw new Error(`${target}: ${reply.status} ${reply.body}`);
    return reply.json;
  }

  async logIn(account) {
    const { token, refreshToken, user } = await this.post(`${AUTH}/login`, { email: account.email, password: account.password });
    return { ...account, token, refreshToken, id: user.id };
  }

  // A new account that is logged in.
  async account() {
    const email = this.newEmail();
    await this.post(`${AUTH}/sign-up`, { email, password: PASSWORD });
    return this.logIn({ email, password: PASSWORD });
  }

  newEmail() {
    return `p${this.random.next()}-${++this.accounts}@example.com`;
  }

  async start(admin) {
    this.admin = await this.logIn(admin);
    this.ada = await this.account();
    this.bob = await this.account();
  }

  // Whose token an operation needs.
  whoFor(operation) {
    return operation.path.includes("/admin/") ? this.admin : this.ada;
  }

  // One of the user's that {id} can name; made for it.
  async idFor(operation, who) {
    const collection = operation.path.slice(0, operation.path.indexOf("/{id}"));
    if (collection.endsWith("/admin/users")) return (this.citizen ??= await this.account()).id;
    if (collection.endsWith("/admin/jobs")) return this.jobFor(operation, who);
    if (collection.endsWith("/sessions")) {
      await this.logIn(who);
      const reply = await this.client.send({ method: "GET", target: collection, headers: { Authorization: `Bearer ${who.token}` } });
      return reply.json.data.find((session) => !session.current).id;
    }
    const { id } = await this.create(collection, who);
    if (operation.path.includes("{delivery}")) this.delivery = (await this.post(`${collection}/${id}/test`, {}, who.token)).data.id;
    return id;
  }

  // A job that waits, for its queue is paused: a test event. One that is to be run again was cancelled.
  async jobFor(operation, who) {
    const headers = { Authorization: `Bearer ${who.token}` };
    const { id: webhook } = await this.create("/api/v1/webhooks", who);
    await this.post(`/api/v1/webhooks/${webhook}/test`, {}, who.token);
    const reply = await this.client.send({ method: "GET", target: "/api/v1/admin/jobs?queue=webhooks&state=waiting&limit=1", headers });
    const { id } = reply.json.data.data[0];
    if (operation.path.endsWith("/retry")) await this.post(`/api/v1/admin/jobs/${id}/cancel`, {}, who.token);
    return id;
  }

  // A new row of a collection, by what its POST says.
  async create(collection, who) {
    const post = this.document.operations.find((operation) => operation.path === collection && operation.method === "POST");
    const schema = post.bodies["application/json"].schema;
    const body = await this.truthful(post, valid(this.document, schema, this.random), who);
    return (await this.post(collection, body, who.token)).data;
  }

  target(operation, id) {
    return operation.path.replace("{name}", "default").replace("{id}", id ?? this.random.uuid()).replace("{delivery}", this.delivery ?? this.random.uuid());
  }

  // A token from the last message to an address.
  async mailed(email, subject) {
    for (let tries = 0; tries < 400; tries++) {
      const folder = join(this.folder, "mail");
      for (const name of readdirSync(folder, { withFileTypes: true }).map((entry) => entry.name)) {
        const [head, body = ""] = readFileSync(join(folder, name), "utf8").split("\r\n\r\n"); // it may be half written
        const token = /^[A-Za-z0-9_.-]{40,}$/m.exec(Buffer.from(body, "base64").toString());
        if (head.includes(email) && head.includes(subject) && token) return token[0];
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`no message to ${email}`);
  }

  // The same body with members that name what exists.
  async truthful(operation, body, who) {
    if (Array.isArray(body) || body === null || typeof body !== "object") return body;
    const result = { ...body };
    if (result.listId) result.listId = (await this.list(who)).id;
    if ("currentPassword" in result) result.currentPassword = who.password;
    if ("refreshToken" in result) result.refreshToken = who.refreshToken;
    if ("email" in result) result.email = operation.id === "auth.login" || operation.id === "auth.forgot" ? who.email : this.newEmail();
    if (operation.id === "auth.login") result.password = who.password;
    if (operation.path.endsWith("/move")) await this.neighbours(operation, result, who);
    if (operation.path.endsWith("/bulk")) await this.bulk(operation, result, who);
    return result;
  }

  async list(who) {
    who.list ??= (await this.post("/api/v1/lists", { name: "Lists of tests" }, who.token)).data;
    return who.list;
  }

  async neighbours(operation, body, who) {
    const collection = operation.path.slice(0, operation.path.indexOf("/{id}"));
    delete body.listId;
    if (body.after && body.before) delete body.before;
    for (const side of ["after", "before"]) if (body[side]) body[side] = (await this.create(collection, who)).id;
  }

  async bulk(operation, body, who) {
    const collection = operation.path.slice(0, -"/bulk".length);
    const schemas = Object.fromEntries(
      [["create", "POST", ""], ["replace", "PUT", "/{id}"], ["update", "PATCH", "/{id}"]].map(([op, method, tail]) => {
        const one = this.document.operations.find((o) => o.path === collection + tail && o.method === method);
        return [op, { one, schema: one.bodies["application/json"].schema }];
      }),
    );
    for (const item of body.operations) {
      delete item.ifMatch;
      if (item.op === "create") delete item.id;
      else item.id = (await this.create(collection, who)).id;
      if (item.op === "delete") delete item.data;
      else item.data = await this.truthful(schemas[item.op].one, valid(this.document, schemas[item.op].schema, this.random), who);
    }
  }
}
