// SPDX-License-Identifier: MIT
// A collector for tests: takes OTLP over HTTP, protobuf or JSON, and reads it with OpenTelemetry's own decoder. Prints its port.
//   POST /v1/traces   spans, or whatever /mode says happens to them
//   GET  /spans       all that were taken, as JSON
//   GET  /requests    each request: {status, type, encoding, headers, spans, bytes, at}
//   POST /mode        {"status": 503, "retryAfter": 1, "times": 2, "body": "…"}: so many times, then as usual; {"stall": true}; {"garbage": true}; {"partial": 3}
//   POST /reset
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';

const require = createRequire(import.meta.url);
const { Reader } = require('protobufjs/minimal');
const { collector, trace } = require('@opentelemetry/otlp-transformer/build/src/generated/root.js').opentelemetry.proto;
const Request = collector.trace.v1.ExportTraceServiceRequest, Response = collector.trace.v1.ExportTraceServiceResponse;

// This decoder is older than the fixed32 fields "flags".
const addFlags = (type, id) => {
    const { decode, encode } = type;
    type.decode = (reader, length) => {
        const begin = reader.pos, message = decode(reader, length), again = Reader.create(reader.buf.subarray(begin, reader.pos));
        while (again.pos < again.len) {
            const tag = again.uint32();
            if (tag === id * 8 + 5)
                message.flags = again.fixed32();
            else
                again.skipType(tag & 7);
        }
        return message;
    };
    type.encode = (message, writer) => {
        const out = encode(message, writer);
        return message.flags === undefined ? out : out.uint32(id * 8 + 5).fixed32(message.flags);
    };
};
addFlags(trace.v1.Span, 16);
addFlags(trace.v1.Span.Link, 6);

let spans = [], requests = [], mode = {};

const hex = (bytes) => Buffer.from(bytes ?? []).toString('hex');
const number = (long) => (long === undefined || long === null ? 0 : long.toString());
const value = (any) => any.stringValue ?? any.boolValue ?? (any.intValue === undefined ? any.doubleValue : Number(any.intValue));
const attributes = (list) => {
    const object = {};
    for (const { key, value: any } of list ?? []) {
        if (key in object)
            throw new Error(`two attributes ${key}`);
        object[key] = value(any);
    }
    return object;
};

const fromProtobuf = (body) => {
    const message = Request.decode(body);
    // A field that the decoder does not know would be missing, and one out of order elsewhere.
    if (Buffer.compare(Buffer.from(Request.encode(message).finish()), body) !== 0)
        throw new Error('not what the same message is when it is encoded again');
    return message;
};

const fromJson = (body) => {
    const message = JSON.parse(body.toString('utf8'));
    for (const { scopeSpans } of message.resourceSpans)
        for (const { spans: list } of scopeSpans)
            for (const span of list) {
                for (const one of [span, ...(span.links ?? [])]) {
                    one.traceId = Buffer.from(one.traceId, 'hex');
                    one.spanId = Buffer.from(one.spanId, 'hex');
                }
                span.parentSpanId = Buffer.from(span.parentSpanId ?? '', 'hex');
            }
    return message;
};

const flatten = (message) =>
    message.resourceSpans.flatMap(({ resource, scopeSpans }) =>
        scopeSpans.flatMap(({ scope, spans: list }) =>
            list.map((span) => ({
                resource: attributes(resource.attributes),
                scope: scope.name,
                traceId: hex(span.traceId),
                spanId: hex(span.spanId),
                parentSpanId: hex(span.parentSpanId),
                traceState: span.traceState ?? '',
                name: span.name,
                kind: span.kind,
                start: number(span.startTimeUnixNano),
                end: number(span.endTimeUnixNano),
                status: span.status?.code ?? 0,
                flags: span.flags ?? 0,
                attributes: attributes(span.attributes),
                droppedAttributes: span.droppedAttributesCount ?? 0,
                links: (span.links ?? []).map((link) => ({ traceId: hex(link.traceId), spanId: hex(link.spanId) })),
            }))));

const take = (request, body) => {
    const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    const isJson = request.headers['content-type'] === 'application/json';
    return flatten(isJson ? fromJson(plain) : fromProtobuf(plain));
};

const answer = (response, status, type, body, headers = {}) => {
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), ...headers });
    response.end(body);
};

const receive = (request, response, body) => {
    const isJson = request.headers['content-type'] === 'application/json';
    const entry = { status: 200, type: request.headers['content-type'], encoding: request.headers['content-encoding'] ?? '', headers: request.headers,
        path: request.url, bytes: body.length, at: Date.now(), spans: 0 };
    requests.push(entry);
    if (mode.stall) {
        entry.status = 0;
        return;
    }
    if (mode.garbage) {
        entry.status = 0;
        request.socket.end('\x00\x01garbage\r\n\r\nHTTP/9 what');
        return;
    }
    if (mode.status && (mode.times === undefined || mode.times-- > 0)) {
        entry.status = mode.status;
        answer(response, mode.status, 'text/plain', mode.body ?? 'no', mode.retryAfter === undefined ? {} : { 'retry-after': String(mode.retryAfter) });
        return;
    }
    try {
        const taken = take(request, body);
        entry.spans = taken.length;
        spans.push(...taken);
    } catch (error) {
        entry.status = 400;
        entry.error = error.message;
        answer(response, 400, 'text/plain', error.message);
        return;
    }
    const partial = mode.partial ? { partialSuccess: { rejectedSpans: mode.partial, errorMessage: 'too old' } } : {};
    if (mode.body !== undefined)
        answer(response, 200, 'text/html', mode.body);
    else if (isJson)
        answer(response, 200, 'application/json', JSON.stringify(partial));
    else
        answer(response, 200, 'application/x-protobuf', Buffer.from(Response.encode(Response.fromObject(partial)).finish()));
};

const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
        const body = Buffer.concat(parts);
        const json = (object) => answer(response, 200, 'application/json', JSON.stringify(object));
        if (request.url === '/spans') {
            json(spans);
        } else if (request.url === '/requests') {
            json(requests);
        } else if (request.url === '/mode') {
            mode = JSON.parse(body.toString());
            json({});
        } else if (request.url === '/reset') {
            spans = [];
            requests = [];
            mode = {};
            json({});
        } else {
            receive(request, response, body);
        }
    });
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
