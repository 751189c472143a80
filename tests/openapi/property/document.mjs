// SPDX-License-Identifier: MIT
// The server's own OpenAPI document: its operations, and what it says of their replies.
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const METHODS = ["get", "post", "put", "patch", "delete"];

function pointer(...keys) {
  return "openapi#/" + keys.map((key) => key.replaceAll("~", "~0").replaceAll("/", "~1")).map(encodeURIComponent).join("/");
}

export class Document {
  constructor(json) {
    this.json = json;
    this.ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true });
    addFormats(this.ajv);
    this.ajv.addSchema(json, "openapi");
    this.compiled = new Map();
    this.operations = [];
    for (const [path, item] of Object.entries(json.paths))
      for (const method of METHODS.filter((name) => item[name])) {
        const own = item[method];
        const parameters = (own.parameters ?? []).map((parameter) => this.follow(parameter));
        this.operations.push({
          id: own.operationId,
          method: method.toUpperCase(),
          path,
          own,
          in: (place) => parameters.filter((parameter) => parameter.in === place),
          bodies: own.requestBody?.content ?? {},
          secured: (own.security ?? []).length > 0,
        });
      }
  }

  // A $ref's target, with what stands beside the reference.
  follow(schema) {
    if (!schema?.$ref) return schema ?? {};
    const target = schema.$ref.slice(2).split("/").reduce((at, key) => at[key.replaceAll("~1", "/").replaceAll("~0", "~")], this.json);
    const { $ref, ...beside } = schema;
    return { ...this.follow(target), ...beside };
  }

  operation(id) {
    return this.operations.find((operation) => operation.id === id);
  }

  validator(key, schema) {
    if (!this.compiled.has(key)) this.compiled.set(key, this.ajv.compile(schema));
    return this.compiled.get(key);
  }

  // Whether a value is valid by a schema of the document; the schema may hold references.
  fits(schema, value) {
    const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"openapi#/'));
    return this.validator(JSON.stringify(absolute), absolute)(value);
  }

  // What is wrong with a reply by the document; undefined: nothing.
  wrong(operation, reply) {
    const malformed = this.malformed(operation, reply);
    const response = malformed ?? operation.own.responses[reply.status];
    if (!response) return `its status ${reply.status} is not documented`;
    const type = (reply.headers["content-type"] ?? "").split(";")[0];
    if (operation.method !== "HEAD" && reply.body.length > 0 && !response.content) return "it has a body, and none is documented";
    if (!response.content) return undefined;
    if (!response.content[type]) return `its content type ${type} is not documented`;
    for (const [name, required] of [["www-authenticate", 401], ["retry-after", 429], ["retry-after", 503], ["accept-patch", 415]])
      if (reply.status === required && Object.keys(response.headers ?? {}).some((header) => header.toLowerCase() === name) && !(name in reply.headers))
        return `it lacks ${name}`;
    if (!/json$/.test(type)) return undefined;
    if (reply.json === undefined) return "its body is no JSON";
    const at = malformed ? ["components", "responses", "Malformed"] : ["paths", operation.path, operation.method.toLowerCase(), "responses", String(reply.status)];
    const key = pointer(...at, "content", type, "schema");
    const validate = this.validator(key, { $ref: key });
    if (!validate(reply.json)) return `its body is not as documented: ${this.ajv.errorsText(validate.errors)}`;
    return reply.status >= 400 ? this.wrongError(response, reply) : undefined;
  }

  // The response "default", when the reply is one of those that it stands for.
  malformed(operation, reply) {
    const response = this.follow(operation.own.responses.default);
    return reply.json?.code in (response.content?.["application/json"]?.examples ?? {}) && !(reply.json.code in this.examples(operation, reply.status)) ? response : undefined;
  }

  examples(operation, status) {
    return operation.own.responses[status]?.content?.["application/json"]?.examples ?? {};
  }

  // The code of an error is one that the operation is said to answer with this status.
  wrongError(response, reply) {
    const media = response.content["application/json"] ?? {}, known = Object.keys(media.examples ?? {});
    const fixed = JSON.stringify(media.schema ?? {}).includes(`"code":{"const":"${reply.json.code}"}`);
    if (reply.json.code !== undefined && !fixed && !known.includes(reply.json.code)) return `its code ${reply.json.code} is not documented: ${known}`;
    if (reply.json.requestId !== undefined && reply.json.requestId !== reply.headers["x-request-id"]) return "its requestId is another";
    return undefined;
  }
}
