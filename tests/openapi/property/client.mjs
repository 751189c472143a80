// SPDX-License-Identifier: MIT
// Requests, said exactly as asked for; every reply is compared with the document.
import http from "node:http";
import zlib from "node:zlib";

const PROBLEMS_MAX = 20;

export class Client {
  constructor(url, document) {
    this.url = new URL(url);
    this.document = document;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    this.problems = [];
    this.requests = 0;
    this.statuses = new Map(); // operation id: set of those seen
  }

  send({ method, target, headers = {}, body }) {
    const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(body);
    const fields = { ...headers };
    if (bytes) fields["Content-Length"] = String(bytes.length);
    this.requests++;
    return new Promise((resolve, reject) => {
      const request = http.request(
        { host: this.url.hostname, port: this.url.port, method, path: target, headers: fields, agent: this.agent, timeout: 20000 },
        (incoming) => {
          const pieces = [];
          incoming.on("data", (piece) => pieces.push(piece));
          incoming.on("error", reject);
          incoming.on("end", () => {
            const decode = { gzip: zlib.gunzipSync, br: zlib.brotliDecompressSync }[incoming.headers["content-encoding"]];
            const whole = Buffer.concat(pieces);
            const text = (decode && whole.length > 0 ? decode(whole) : whole).toString();
            let json;
            try {
              json = JSON.parse(text);
            } catch {
              json = undefined;
            }
            resolve({ status: incoming.statusCode, headers: incoming.headers, body: text, json });
          });
        },
      );
      request.on("timeout", () => request.destroy(new Error("no reply within 20 s")));
      request.on("error", reject);
      request.end(bytes);
    });
  }

  problem(request, reply, reason) {
    if (this.problems.length < PROBLEMS_MAX)
      this.problems.push(
        `${request.what ?? ""}\n  ${request.method} ${request.target.slice(0, 300)} ${JSON.stringify(request.headers ?? {}).replace(/Bearer eyJ[\w.-]{40,}/g, "Bearer …").slice(0, 300)}\n` +
          `  ${String(request.body ?? "").slice(0, 400)}\n  -> ${reply ? `${reply.status} ${reply.body.slice(0, 400)}` : "nothing"}\n  ${reason}`,
      );
  }

  // The reply to a request of an operation. expected: undefined (any that is documented), a status, an array of them, or a function that
  // says what is wrong with it.
  async call(operation, request, expected) {
    const whole = { method: operation.method, ...request };
    let reply;
    try {
      reply = await this.send(whole);
    } catch (error) {
      this.problem(whole, undefined, String(error));
      return { status: 0, headers: {}, body: "", json: undefined };
    }
    const reason =
      (reply.status >= 500 && !(reply.status === 501 && operation.own.responses[501]) ? "a 5xx" : undefined) ??
      this.document.wrong(operation, reply) ??
      (typeof expected === "function" ? expected(reply) : undefined) ??
      (typeof expected === "number" && reply.status !== expected ? `not ${expected}` : undefined) ??
      (Array.isArray(expected) && !expected.includes(reply.status) ? `none of ${expected}` : undefined);
    if (reason) this.problem(whole, reply, reason);
    if (!this.statuses.has(operation.id)) this.statuses.set(operation.id, new Set());
    this.statuses.get(operation.id).add(reply.status);
    return reply;
  }

  close() {
    this.agent.destroy();
  }
}
