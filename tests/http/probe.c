/* SPDX-License-Identifier: MIT */
/* A plugin that does what no good plugin does, and what every one may do, on request. For black-box tests only. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "backplane/backplane.h"

struct probe {
    struct bp_host *host;
    uint64_t sent, aborted, canceled, timed_out;
    uint32_t rounds; /* of work that are left */
};

struct amount {
    uint32_t n;
};
static const struct bp_field amount_rows[] = {BP_U32(struct amount, n, .max = 100000000), BP_END};

struct probe_stage {
    uint32_t mode;
};
enum { MODE_PASS, MODE_NEXT_TWICE, MODE_SILENT, MODE_AFTER, MODE_FAIL };
static const char *const modes[] = {"pass", "next_twice", "silent", "after", "fail", NULL};
static const struct bp_field options[] = {BP_CHOICE(struct probe_stage, mode, .def = "pass", .choices = modes,
                                                    .flags = BP_STAGE, .doc = "What the stage does."),
                                          BP_END};

static uint32_t amount(struct bp_request *rq)
{
    uint64_t n = 0;
    (void)bp_str_to_u64(bp_param(rq, "n"), &n);
    return (uint32_t)n;
}

static int note(struct probe *probe, int status)
{
    probe->canceled += status == BP_CANCELED;
    probe->timed_out += status == BP_TIMEOUT;
    return status;
}

static void count_done(struct bp_request *rq, const struct bp_done *done, void *argument)
{
    struct probe *probe = argument;
    (void)rq;
    if (done->outcome == BP_SENT)
        probe->sent++;
    else
        probe->aborted++;
}

static int echo(struct bp_request *rq, void *self, const void *stage)
{
    bp_str body;
    (void)stage;
    int status = note(self, bp_body(rq, &body));
    return status < 0 ? status : bp_reply_body(rq, 200, BP_STR("application/octet-stream"), body);
}

static int ignore(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    return bp_reply_message(rq, 200, "ignored");
}

static int sleep_ms(struct bp_request *rq, void *self, const void *stage)
{
    (void)stage;
    int status = note(self, bp_sleep(amount(rq) * BP_MILLISECOND));
    return status < 0 ? status : bp_reply_message(rq, 200, "slept");
}

static int wait_forever(struct bp_request *rq, void *self, const void *stage)
{
    bp_event event;
    (void)stage;
    bp_event_init(&event);
    int status = note(self, bp_event_wait(&event, BP_FOREVER));
    return status < 0 ? status : bp_reply_message(rq, 200, "woken");
}

static int spend(void *job)
{
    usleep(*(useconds_t *)job);
    return 0;
}

static int offload(struct bp_request *rq, void *self, const void *stage)
{
    useconds_t microseconds = amount(rq) * 1000;
    (void)stage;
    int status = note(self, bp_offload(spend, &microseconds));
    return status < 0 ? status : bp_reply_message(rq, 200, "offloaded");
}

/* n pieces of 1000 bytes. */
static int stream(struct bp_request *rq, void *self, const void *stage)
{
    char piece[1000];
    (void)stage;
    memset(piece, 'x', sizeof(piece));
    int status = bp_stream_begin(rq, 200, BP_STR("text/plain"));
    for (uint32_t i = 0; status == 0 && i < amount(rq); i++)
        status = bp_stream_write(rq, bp_str_n(piece, sizeof(piece)));
    return note(self, status);
}

static int big(struct bp_request *rq, void *self, const void *stage)
{
    char *body = bp_arena_alloc(bp_arena(rq), amount(rq));
    (void)self;
    (void)stage;
    if (!body)
        return BP_NOMEM;
    memset(body, 'y', amount(rq));
    return bp_reply_body(rq, 200, BP_STR("text/plain"), bp_str_n(body, amount(rq)));
}

/* Memory that nobody gives back. */
static int leak(struct bp_request *rq, void *self, const void *stage)
{
    char *lost = malloc(amount(rq));
    (void)self;
    (void)stage;
    if (!lost)
        return BP_NOMEM;
    memset(lost, 'y', amount(rq));
    return bp_reply_message(rq, 200, lost[amount(rq) / 2] == 'y' ? "Lost" : "Kept");
}

static int never(struct bp_request *rq, void *self, const void *stage)
{
    (void)rq;
    (void)self;
    (void)stage;
    return 0;
}

static int twice(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    int status = bp_reply_message(rq, 200, "first");
    return status < 0 ? status : bp_reply_message(rq, 201, "second");
}

static int crash(struct bp_request *rq, void *self, const void *stage)
{
    (void)rq;
    (void)self;
    (void)stage;
    raise(SIGSEGV);
    return 0;
}

static int sink(volatile char *bytes, unsigned depth)
{
    volatile char here[512];
    here[0] = bytes[0];
    return depth == 0 ? here[0] : sink(here, depth - 1) + here[0];
}

static int overflow(struct bp_request *rq, void *self, const void *stage)
{
    volatile char byte = 1;
    (void)rq;
    (void)self;
    (void)stage;
    return sink(&byte, 1u << 30) > 0 ? BP_ERROR : 0;
}

/* Until the test kills the worker, or n milliseconds. */
static int block(struct bp_request *rq, void *self, const void *stage)
{
    bp_time end = bp_clock() + amount(rq) * BP_MILLISECOND;
    (void)self;
    (void)stage;
    while (bp_clock() < end)
        ;
    return bp_reply_message(rq, 200, "unblocked");
}

static int give_status(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    bp_str kind = bp_param(rq, "kind");
    return bp_str_is(kind, "error")      ? BP_ERROR
           : bp_str_is(kind, "nomem")    ? BP_NOMEM
           : bp_str_is(kind, "timeout")  ? BP_TIMEOUT
           : bp_str_is(kind, "busy")     ? BP_BUSY
           : bp_str_is(kind, "positive") ? 7
                                         : BP_MISUSE;
}

static int bad_header(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    int status = bp_header_set(rq, BP_STR("X-Bad"), BP_STR("a\r\nX-Injected: b"));
    return status < 0 ? status : bp_reply_message(rq, 200, "injected");
}

static int late(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    int status = bp_stream_begin(rq, 200, BP_STR("text/plain"));
    if (status == 0)
        status = bp_stream_write(rq, BP_STR("begun"));
    return status < 0 ? status : bp_header_set(rq, BP_STR("X-Late"), BP_STR("1"));
}

struct stats {
    int64_t sent, aborted, canceled, timed_out;
};
static const struct bp_field stats_rows[] = {BP_I64(struct stats, sent), BP_I64(struct stats, aborted),
                                             BP_I64(struct stats, canceled), BP_I64(struct stats, timed_out), BP_END};

static int stats(struct bp_request *rq, void *self, const void *stage)
{
    const struct probe *probe = self;
    const struct stats now = {(int64_t)probe->sent, (int64_t)probe->aborted, (int64_t)probe->canceled,
                              (int64_t)probe->timed_out};
    (void)stage;
    return bp_reply_json(rq, 200, stats_rows, &now);
}

/* Takes work in hand n times, each time right behind the time before. */
static int work(void *argument)
{
    struct probe *probe = argument;
    int status = 0;
    while (status == 0 && probe->rounds > 0) {
        bp_hold();
        status = bp_sleep(10 * BP_MILLISECOND);
        probe->rounds--;
        if (status == 0 && probe->rounds == 0)
            bp_log(probe->host, BP_LOG_INFO, "probe.worked", "All is done");
        bp_release();
    }
    return status;
}

static int begin_work(struct bp_request *rq, void *self, const void *stage)
{
    struct probe *probe = self;
    (void)stage;
    probe->rounds = amount(rq);
    int status = bp_spawn(probe->host, "work", work, probe, BP_FOREVER);
    return status < 0 ? status : bp_reply_message(rq, 200, "begun");
}

static void mark_head(struct bp_request *rq, void *argument)
{
    (void)argument;
    (void)bp_header_set(rq, BP_STR("X-On-Head"), BP_STR("1"));
}

static int misbehave(struct bp_request *rq, void *self, const void *stage)
{
    const struct probe_stage *options_here = stage;
    int status = bp_on_done(rq, count_done, self);
    if (status == 0)
        status = bp_on_head(rq, mark_head, NULL);
    if (status < 0 || options_here->mode == MODE_SILENT)
        return status;
    if (options_here->mode == MODE_FAIL)
        return BP_BUSY;
    status = bp_next(rq);
    if (options_here->mode == MODE_NEXT_TWICE)
        status = bp_next(rq);
    if (options_here->mode == MODE_AFTER)
        (void)bp_header_set(rq, BP_STR("X-After"), BP_STR("1"));
    return status;
}

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_POST, .path = "/probe/echo", .handler = echo, .name = "probe.echo"),
    BP_ROUTE(.method = BP_PUT, .path = "/probe/small", .handler = echo, .name = "probe.small", .body_limit = 10),
    BP_ROUTE(.method = BP_POST, .path = "/probe/ignore", .handler = ignore, .name = "probe.ignore"),
    BP_ROUTE(.method = BP_GET, .path = "/probe/ok", .handler = ignore, .name = "probe.ok"),
    BP_ROUTE(.method = BP_GET, .path = "/probe/sleep/{n}", .handler = sleep_ms, .name = "probe.sleep",
             .params = amount_rows, .params_size = sizeof(struct amount)),
    BP_ROUTE(.method = BP_GET, .path = "/probe/wait", .handler = wait_forever, .name = "probe.wait"),
    BP_ROUTE(.method = BP_GET, .path = "/probe/offload/{n}", .handler = offload, .name = "probe.offload"),
    BP_ROUTE(.method = BP_GET, .path = "/probe/stream/{n}", .handler = stream, .name = "probe.stream"),
    BP_ROUTE(.method = BP_GET, .path = "/probe/big/{n}", .handler = big, .name = "probe.big"),
    BP_ROUTE(.method = BP_GET, .path = "/probe/leak/{n}", .handler = leak, .name = "probe.leak"),
    BP_ROUTE(.method = BP_GET, .path = "/probe/never", .handler = never, .name = "probe.never"),
    BP_ROUTE(.method = BP_GET, .path = "/probe/twice", .handler = twice, .name = "probe.twice"),
    BP_ROUTE(.method = BP_GET, .path = "/probe/crash", .handler = crash, .name = "probe.crash"),
    BP_ROUTE(.method = BP_GET, .path = "/probe/overflow", .handler = overflow, .name = "probe.overflow"),
    BP_ROUTE(.method = BP_GET, .path = "/probe/block/{n}", .handler = block, .name = "probe.block"),
    BP_ROUTE(.method = BP_GET, .path = "/probe/status/{kind}", .handler = give_status, .name = "probe.status"),
    BP_ROUTE(.method = BP_GET, .path = "/probe/bad-header", .handler = bad_header, .name = "probe.bad_header"),
    BP_ROUTE(.method = BP_GET, .path = "/probe/late", .handler = late, .name = "probe.late"),
    BP_ROUTE(.method = BP_GET, .path = "/probe/hold/{n}", .handler = begin_work, .name = "probe.hold"),
    BP_ROUTE(.method = BP_GET, .path = "/probe/stats", .handler = stats, .name = "probe.stats"),
    BP_ROUTE_END};

static int init(struct bp_host *host, void *self)
{
    struct probe *probe = self;
    probe->host = host;
    return 0;
}

BP_PLUGIN(.name = "probe", .version = "1.0.0", .doc = "Misbehaves on request.", .self_size = sizeof(struct probe),
          .stage_size = sizeof(struct probe_stage), .options = options, .routes = routes, .init = init,
          .middleware = misbehave);
