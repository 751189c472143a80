/* SPDX-License-Identifier: MIT */
/* One request as a line of text. Knows no request: everything is passed in. */
#ifndef ACCESS_LOG_LINE_H
#define ACCESS_LOG_LINE_H

#include "backplane/clock.h"
#include "backplane/str.h"

struct slow;

enum { ACCESS_HEADERS = 16 };

struct access_line {
    bool otel;            /* fields are named as the attributes of OpenTelemetry */
    const bp_str *redact; /* further names of query parameters and header fields whose values are not shown */
    size_t redact_count;
    struct {
        bp_str name, value; /* the name in lower case */
    } headers[ACCESS_HEADERS];
    size_t header_count;
    const struct slow *slow; /* a line of a slow request; NULL: an ordinary one */
    bp_date time;
    bp_str method, target, route, client, request_id, user_agent, version;
    bp_str peer;              /* the proxy's address; empty: the client's own */
    bp_str user_id;           /* empty: nobody */
    bp_str trace_id, span_id; /* of its own span; empty: there is none */
    unsigned status;
    bool aborted;
    uint64_t bytes;
    bp_span duration;
};

/* The most that a line takes; longer texts are cut so that it fits. */
#define ACCESS_LINE_MAX 16384

/* Writes one line with its line feed; returns its length. The values of query parameters whose names speak of secrets (token,
 * password, secret, key, code, signature, authorization), and those of cookies and credentials, are replaced by "[redacted]". */
size_t access_line_json(const struct access_line *line, char ret_text[ACCESS_LINE_MAX]);
/* For a terminal, in colour. */
size_t access_line_text(const struct access_line *line, char ret_text[ACCESS_LINE_MAX]);

#endif
