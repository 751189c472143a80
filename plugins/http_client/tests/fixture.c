/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <stdio.h>

#include "origin.h"

extern const struct bp_plugin *backplane_plugin(void);

struct http_client *client;

void fixture_new(void)
{
    fixture_open("http_client", "http_client", 1);
    client = fixture_host.self;
}

void fixture_start(void)
{
    fixture_must(fixture_init() == 0);
    fixture_must(fixture_start_instance() == 0);
}

static void run_call(void *argument)
{
    struct call *call = argument;
    struct bp_http_response response = {.status = 0};
    const struct bp_service service = {.vtable = backplane_plugin()->provides->vtable, .self = client};
    call->request.size = sizeof(call->request);
    call->request.url = bp_str_of(call->url);
    call->status = bp_http_send(service, &call->request, bp_fiber_arena(), &response);
    call->answer = response.status;
    call->body_len = response.body.len;
    snprintf(call->body, sizeof(call->body), "%" BP_STR_FMT, BP_STR_ARG(response.body));
    snprintf(call->why, sizeof(call->why), "%" BP_STR_FMT, BP_STR_ARG(response.why));
    call->fields[0] = '\0';
    for (size_t i = 0, at = 0; i < response.header_count && at < sizeof(call->fields); i++)
        at += (size_t)snprintf(call->fields + at, sizeof(call->fields) - at, "%" BP_STR_FMT "=%" BP_STR_FMT "\n",
                               BP_STR_ARG(response.headers[i].name), BP_STR_ARG(response.headers[i].value));
}

void call_begin(struct call *call)
{
    call->fiber = fixture_begin(run_call, call, call->limit > 0 ? bp_clock() + call->limit : BP_FOREVER, &call->done);
}

void call_wait(struct call *call)
{
    fixture_until(call->done);
}

void call_url(struct call *call, const char *scheme, const char *name, const char *path)
{
    snprintf(call->url, sizeof(call->url), "%s://%s:%d%s", scheme, name, origin.port, path);
}

void call_get(struct call *call, const char *name, const char *path)
{
    call_url(call, "http", name, path);
    call_begin(call);
    call_wait(call);
}
