/* SPDX-License-Identifier: MIT */
/* An instance of the plugin, and what its files have in common. */
#ifndef HTTP_CLIENT_CLIENT_H
#define HTTP_CLIENT_CLIENT_H

#include "backplane/iface/http_client.h"
#include "guard.h"
#include "places.h"
#include "pool.h"

struct http_client {
    /* options */
    bp_span timeout, connect_timeout;
    uint64_t response_max;
    uint32_t connections, connections_per_host, queue;
    bp_str ca_file;
    struct bp_array private_networks; /* of bp_str */
    /* state */
    struct bp_host *host;
    struct guard guard;
    struct places places;
    struct pool pools[2]; /* [1]: of guarded requests. A connection that nobody looked at is not one of theirs */
    struct bp_metric *duration, *active, *refused;
    struct bp_series *active_series, *refused_series;
};

/* See iface/http_client.h. */
int client_send(void *self, const struct bp_http_request *request, struct bp_arena *arena,
                struct bp_http_response *ret_response);

extern const struct bp_metric_row http_client_metrics[];
void observe_start(struct http_client *client);
/* The span of a call to this host; NULL when nothing records. */
struct bp_trace_span *observe_begin(const struct bp_http_request *request, bp_str host);
/* One call, from asking to its end: with status, what client_send() returned and with what answer. Ends the span. host: of the URL. */
void observe_call(struct http_client *client, const struct bp_http_request *request, bp_str host, bp_time started,
                  int status, unsigned answer, struct bp_trace_span *span);

#endif
