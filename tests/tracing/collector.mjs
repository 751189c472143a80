// SPDX-License-Identifier: MIT
// A collector for tests: takes OTLP over HTTP, protobuf or JSON, and reads it with OpenTelemetry's own decoder. Prints its port.
//   POST /v1/traces, /v1/metrics, /v1/logs   what whatever /mode says happens to
//   GET  /spans, /points, /lines             all that were taken, as JSON
//   GET  /requests    each request: {status, type, encoding, headers, spans, bytes, at}
//   POST /mode        {"status": 503, "retryAfter": 1, "times": 2, "body": "…"}: so many times, then as usual; {"stall": true}; {"garbage": true}; {"partial": 3};
//                     with {"path": "/v1/logs"} what goes there alone
//   POST /reset
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';

const require = createRequire(import.meta.url);
const { Reader } = require('protobufjs/minimal');
const { collector, trace } = require('@opentelemetry/otlp-transformer/build/src/generated/root.js').opentelemetry.proto;
const signals = {
    '/v1/traces': { Request: collector.trace.v1.ExportTraceServiceRequest, Response: collector.trace.v1.ExportTraceServiceResponse, rejected: 'rejectedSpans' },
    '/v1/metrics': { Request: collector.metrics.v1.ExportMetricsServiceRequest, Response: collector.metrics.v1.ExportMetricsServiceResponse,
        rejected: 'rejectedDataPoints' },
    '/v1/logs': { Request: collector.logs.v1.ExportLogsServiceRequest, Response: collector.logs.v1.ExportLogsServiceResponse, rejected: 'rejectedLogRecords' },
};

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

let spans = [], points = [], lines = [], requests = [], mode = {};

const hex = (bytes) => Buffer.from(bytes ?? []).toString('hex');
const number = (long) => (long === undefined || long === null ? 0 : long.toString());
const value = (any) => any.stringValue ?? any.boolValue ?? (any.intValue === undefined || any.intValue === null ? any.doubleValue : Number(any.intValue));
const attributes = (list) => {
    const object = {};
    for (const { key, value: any } of list ?? []) {
        if (key in object)
            throw new Error(`two attributes ${key}`);
        object[key] = value(any);
    }
    return object;
};

const fromProtobuf = ({ Request }, body) => {
    const message = Request.decode(body);
    // A field that the decoder does not know would be missing, and one out of order elsewhere.
    if (Buffer.compare(Buffer.from(Request.encode(message).finish()), body) !== 0)
        throw new Error('not what the same message is when it is encoded again');
    return message;
};

const unhex = (one) => {
    one.traceId = Buffer.from(one.traceId ?? '', 'hex');
    one.spanId = Buffer.from(one.spanId ?? '', 'hex');
};

const fromJson = (body) => {
    const message = JSON.parse(body.toString('utf8'));
    // Identifiers are in hex here, and not in base64 as protobuf's own JSON has them.
    for (const { scopeLogs } of message.resourceLogs ?? [])
        for (const { logRecords } of scopeLogs)
            logRecords.forEach(unhex);
    for (const { scopeMetrics } of message.resourceMetrics ?? [])
        for (const { metrics } of scopeMetrics)
            for (const { histogram } of metrics)
                histogram?.dataPoints.forEach(({ exemplars }) => exemplars?.forEach(unhex));
    for (const { scopeSpans } of message.resourceSpans ?? [])
        for (const { spans: list } of scopeSpans)
            for (const span of list) {
                [span, ...(span.links ?? [])].forEach(unhex);
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

const point = (metric, kind, one) => ({
    name: metric.name,
    description: metric.description,
    unit: metric.unit,
    kind,
    monotonic: metric[kind].isMonotonic ?? false,
    temporality: metric[kind].aggregationTemporality ?? 0,
    attributes: attributes(one.attributes),
    start: number(one.startTimeUnixNano),
    time: number(one.timeUnixNano),
    value: kind === 'histogram' ? undefined : Number(one.asInt ?? one.asDouble),
    count: Number(one.count ?? 0),
    sum: one.sum,
    buckets: (one.bucketCounts ?? []).map(Number),
    bounds: one.explicitBounds,
    exemplars: (one.exemplars ?? []).map((exemplar) => ({ traceId: hex(exemplar.traceId), spanId: hex(exemplar.spanId), value: exemplar.asDouble })),
});

const flattenMetrics = (message) =>
    message.resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
        scopeMetrics.flatMap(({ metrics }) =>
            metrics.flatMap((metric) => {
                const kind = ['gauge', 'sum', 'histogram'].find((name) => metric[name]);
                return metric[kind].dataPoints.map((one) => ({ resource: attributes(resource.attributes), ...point(metric, kind, one) }));
            })));

const flattenLogs = (message) =>
    message.resourceLogs.flatMap(({ resource, scopeLogs }) =>
        scopeLogs.flatMap(({ logRecords }) =>
            logRecords.map((line) => ({
                resource: attributes(resource.attributes),
                time: number(line.timeUnixNano),
                observed: number(line.observedTimeUnixNano),
                severity: line.severityNumber,
                severityText: line.severityText,
                body: line.body.stringValue,
                attributes: attributes(line.attributes),
                traceId: hex(line.traceId),
                spanId: hex(line.spanId),
                flags: line.flags ?? 0,
            }))));

const take = (signal, request, body) => {
    const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    const isJson = request.headers['content-type'] === 'application/json';
    const message = isJson ? fromJson(plain) : fromProtobuf(signal, plain);
    const found = message.resourceSpans ? flatten(message) : message.resourceMetrics ? flattenMetrics(message) : flattenLogs(message);
    (message.resourceSpans ? spans : message.resourceMetrics ? points : lines).push(...found);
    return found.length;
};

const answer = (response, status, type, body, headers = {}) => {
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), ...headers });
    response.end(body);
};

const receive = (request, response, body) => {
    const isJson = request.headers['content-type'] === 'application/json';
    const entry = { status: 200, type: request.headers['content-type'], encoding: request.headers['content-encoding'] ?? '', headers: request.headers,
        path: request.url, bytes: body.length, at: Date.now(), spans: 0 };
    // A signal's own endpoint may have any path; the tests give spans such ones.
    const signal = signals[request.url] ?? signals['/v1/traces'], applies = !mode.path || mode.path === request.url;
    requests.push(entry);
    if (applies && mode.stall) {
        entry.status = 0;
        return;
    }
    if (applies && mode.garbage) {
        entry.status = 0;
        request.socket.end('\x00\x01garbage\r\n\r\nHTTP/9 what');
        return;
    }
    if (applies && mode.status && (mode.times === undefined || mode.times-- > 0)) {
        entry.status = mode.status;
        answer(response, mode.status, 'text/plain', mode.body ?? 'no', mode.retryAfter === undefined ? {} : { 'retry-after': String(mode.retryAfter) });
        return;
    }
    try {
        entry.spans = take(signal, request, body);
    } catch (error) {
        entry.status = 400;
        entry.error = error.message;
        answer(response, 400, 'text/plain', error.message);
        return;
    }
    const partial = applies && mode.partial ? { partialSuccess: { [signal.rejected]: mode.partial, errorMessage: 'too old' } } : {};
    if (applies && mode.body !== undefined)
        answer(response, 200, 'text/html', mode.body);
    else if (isJson)
        answer(response, 200, 'application/json', JSON.stringify(partial));
    else
        answer(response, 200, 'application/x-protobuf', Buffer.from(signal.Response.encode(signal.Response.fromObject(partial)).finish()));
};

const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
        const body = Buffer.concat(parts);
        const json = (object) => answer(response, 200, 'application/json', JSON.stringify(object));
        if (request.url === '/spans') {
            json(spans);
        } else if (request.url === '/points') {
            json(points);
        } else if (request.url === '/lines') {
            json(lines);
        } else if (request.url === '/requests') {
            json(requests);
        } else if (request.url === '/mode') {
            mode = JSON.parse(body.toString());
            json({});
        } else if (request.url === '/reset') {
            spans = [];
            points = [];
            lines = [];
            requests = [];
            mode = {};
            json({});
        } else {
            receive(request, response, body);
        }
    });
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
