/* SPDX-License-Identifier: MIT */
/* A call, from asking to the response. */
#include "check.h"
#include "exchange.h"

static bp_span until(bp_time deadline)
{
    return deadline == BP_FOREVER ? BP_FOREVER : deadline - bp_clock();
}

/* With a place taken. */
static int run(struct exchange *exchange, bp_time deadline, struct bp_http_response *response)
{
    struct pool *pool = &exchange->client->pools[exchange->request->flags & BP_HTTP_GUARDED ? 1 : 0];
    int status = pool->multi ? exchange_open(exchange) : BP_CANCELED;
    if (status == 0 && !pool_add(pool, exchange->easy))
        status = BP_NOMEM;
    else if (status == 0) {
        status = bp_event_wait(&exchange->ended, until(deadline));
        pool_remove(pool, exchange->easy);
        if (status == 0)
            status = exchange_result(exchange, response);
    }
    exchange_close(exchange);
    return status;
}

static int exchange_run(struct exchange *exchange, bp_time deadline, struct bp_http_response *response)
{
    struct http_client *client = exchange->client;
    int status = exchange->request->flags & BP_HTTP_AT_ONCE ? places_enter_at_once(&client->places)
                                                            : places_enter(&client->places, deadline);
    if (status < 0)
        return status;
    bp_metric_add(client->active_series, 1);
    status = run(exchange, deadline, response);
    bp_metric_add(client->active_series, -1);
    places_leave(&client->places);
    return status;
}

int client_send(void *self, const struct bp_http_request *given, struct bp_arena *arena,
                struct bp_http_response *ret_response)
{
    struct http_client *client = self;
    struct bp_http_request request = {.size = 0};
    struct bp_http_response response = {.status = 0};
    bp_str host = BP_STR("");
    struct bp_trace_span *span = NULL;
    bp_time started = bp_clock();
    memcpy(&request, given, given->size < sizeof(request) ? given->size : sizeof(request));
    struct exchange exchange = {.client = client, .request = &request, .arena = arena};
    if (!check_request(&request))
        return BP_MISUSE;
    int status = check_url(&request, arena, &exchange.url, &host, &response.why);
    if (status == 0) {
        span = observe_begin(&request, host);
        bp_span timeout = request.timeout > 0 ? request.timeout : client->timeout;
        bp_time deadline;
        if (__builtin_add_overflow(started, timeout, &deadline))
            deadline = BP_FOREVER;
        status = exchange_run(&exchange, deadline, &response);
        if (status == BP_TIMEOUT)
            response.why = bp_arena_printf(arena, "no complete response within %lld ms",
                                           (long long)((bp_clock() - started) / BP_MILLISECOND));
    }
    observe_call(client, &request, host, started, status, response.status, span);
    if (status >= 0 || status == BP_TIMEOUT)
        *ret_response = response;
    return status;
}
