/* SPDX-License-Identifier: MIT */
/* Keys, counters, scripts and messages that all replicas share, in a Redis server. */
#include <stdlib.h>

#include "redis.h"

static const struct bp_field options[] = {
    BP_TEXT(struct redis, url, .flags = BP_SECRET, .def = "redis://127.0.0.1:6379", .min = 1, .max = 4096,
            .doc = "Where the server is: redis://[user:password@]host[:port][/database], rediss:// (TLS), or "
                   "unix://[user:password@]/path[?db=database]."),
    BP_I64(struct redis, database, .def = "-1", .min = -1, .max = 1000000,
           .doc = "The number of the database; -1: that of the URL, else 0."),
    BP_TEXT(struct redis, prefix, .def = "backplane:", .max = 200,
            .doc = "Put before every key and channel, so that several programs can share a server."),
    BP_TEXT(struct redis, client_name, .def = "backplane", .min = 1, .max = 64,
            .doc = "How the connections are called in CLIENT LIST; without spaces."),
    BP_U32(struct redis, connections, .def = "1", .min = 1, .max = 64,
           .doc = "Connections per worker, shared by all requests, besides one for messages."),
    BP_U32(struct redis, queue, .def = "10000", .min = 1, .max = 1000000,
           .doc = "Commands that may wait for their answer, per worker; more are refused."),
    BP_SPAN(struct redis, timeout, .def = "250ms", .min = BP_MILLISECOND, .max = BP_MINUTE,
            .doc = "How long a command may take. A server that is silent for so long is asked no more until it "
                   "answers again."),
    BP_SPAN(struct redis, connect_timeout, .def = "1s", .min = 10 * BP_MILLISECOND, .max = BP_MINUTE,
            .doc = "How long connecting may take, and again logging in."),
    BP_U32(struct redis, failures, .def = "5", .min = 1, .max = 1000,
           .doc = "Commands in a row that may come late or lose their connection before the server is asked no more."),
    BP_SPAN(struct redis, open_time, .def = "1s", .min = 10 * BP_MILLISECOND, .max = BP_MINUTE,
            .doc = "How long it is left alone then before it is tried again, in the background."),
    BP_SIZE(struct redis, reply_limit, .def = "64MiB", .min = 1024, .max = INT64_C(1) << 30,
            .doc = "Largest answer; a larger one ends the connection."),
    BP_BOOL(struct redis, required, .def = "false",
            .doc = "Whether this server is unready (/health/ready) while Redis is away; else it only warns."),
    BP_SPAN(struct redis, grace, .def = "10s", .min = 0, .max = BP_HOUR,
            .doc = "With required: how long it may be away before that."),
    BP_TEXT(struct redis, tls_ca, .max = 1024,
            .doc = "File with the certificates that are trusted to sign the server's; empty: the system's."),
    BP_TEXT(struct redis, tls_certificate, .max = 1024, .doc = "File with this client's certificate and its chain."),
    BP_TEXT(struct redis, tls_key, .max = 1024, .doc = "File with the key of tls_certificate."),
    BP_TEXT(struct redis, tls_server_name, .max = 253,
            .doc = "Name that the server's certificate must have; empty: the host of the URL."),
    BP_BOOL(struct redis, tls_verify, .def = "true",
            .doc = "Whether the server's certificate is checked. Without, anyone on the way can read and change "
                   "everything."),
    BP_END};

static const struct bp_provide provides[] = {BP_PROVIDE(BP_KEY_VALUE, BP_KEY_VALUE_VERSION, &redis_vtable),
                                             BP_PROVIDE_END};

static int check_text(struct bp_host *host, const char *option, bp_str value)
{
    return value.len > 0 && memchr(value.ptr, '\0', value.len) ? bp_config_error(host, option, "must not hold a NUL")
                                                               : 0;
}

static int check_tls(struct bp_host *host, const struct redis *redis)
{
    const struct {
        const char *option;
        bp_str value;
    } texts[] = {{"tls_ca", redis->tls_ca},
                 {"tls_certificate", redis->tls_certificate},
                 {"tls_key", redis->tls_key},
                 {"tls_server_name", redis->tls_server_name}};
    int status = 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int checked = check_text(host, texts[i].option, texts[i].value);
        if (checked == 0 && texts[i].value.len > 0 && !redis->endpoint.tls)
            checked = bp_config_error(host, texts[i].option, "needs a url that begins with rediss://");
        status = checked != 0 ? checked : status;
    }
    if ((redis->tls_certificate.len > 0) != (redis->tls_key.len > 0))
        status = bp_config_error(host, redis->tls_key.len > 0 ? "tls_key" : "tls_certificate",
                                 "tls_certificate and tls_key belong together");
    return status;
}

static int redis_init(struct bp_host *host, void *self)
{
    struct redis *redis = self;
    char error[URL_ERROR];
    int status;
    redis->host = host;
    redis->subscriber.redis = redis;
    redis->subscriber.wire.fd = -1;
    if (!endpoint_parse(redis->url, &redis->endpoint, error))
        return bp_config_error(host, "url", "%s", error);
    if (redis->database >= 0) {
        redis->endpoint.database = (uint32_t)redis->database;
        endpoint_rename(&redis->endpoint);
    }
    if (check_text(host, "client_name", redis->client_name) != 0)
        return BP_INVALID;
    if (memchr(redis->client_name.ptr, ' ', redis->client_name.len))
        return bp_config_error(host, "client_name", "must not hold a space");
    status = check_tls(host, redis);
    if (status == 0)
        status = bp_health_new_with(host, &redis_health, redis->required, redis->grace);
    return status;
}

static int start_tls(struct bp_host *host, struct redis *redis)
{
    const struct tls_files files = {
        .ca = redis->tls_ca, .certificate = redis->tls_certificate, .key = redis->tls_key, .verify = redis->tls_verify};
    char reason[WIRE_REASON];
    redis->tls = tls_context_new(&files, reason);
    if (!redis->tls)
        return bp_start_error(host, "%s", reason);
    if (!redis->tls_verify)
        bp_log(host, BP_LOG_WARN, "redis.unverified",
               "The certificate of the Redis server is not checked (tls_verify)");
    return 0;
}

/* Redis may be away: nothing here waits for it. */
static int redis_start(struct bp_host *host, void *self)
{
    struct redis *redis = self;
    int status = redis->endpoint.tls ? start_tls(host, redis) : 0;
    if (status != 0)
        return status;
    redis_observe_start(redis);
    redis->target = (struct wire_target){.endpoint = &redis->endpoint,
                                         .tls = redis->tls,
                                         .server_name = redis->tls_server_name,
                                         .client_name = redis->client_name.ptr,
                                         .timeout = redis->connect_timeout,
                                         .reply_limit = redis->reply_limit};
    redis->breaker = (struct breaker){.limit = redis->failures, .open_time = redis->open_time};
    redis->alone_since = bp_clock();
    redis->links = calloc(redis->connections, sizeof(*redis->links));
    if (!redis->links)
        return BP_NOMEM;
    for (uint32_t i = 0; i < redis->connections; i++) {
        redis->links[i].redis = redis;
        redis->links[i].wire.fd = -1;
    }
    for (uint32_t i = 0; i < redis->connections && status == 0; i++)
        status = bp_spawn(host, "redis connection", connection_run, &redis->links[i], BP_FOREVER);
    return status;
}

/* The connections' own fibers are cancelled after this; what they use lives until deinit. */
static void redis_stop(struct bp_host *host, void *self)
{
    struct redis *redis = self;
    struct command *command;
    (void)host;
    redis->stopping = true;
    while ((command = queue_take(&redis->waiting)))
        command_fail(command, BP_CANCELED);
    for (uint32_t i = 0; i < redis->connections; i++)
        connection_abandon(&redis->links[i]);
}

static void redis_deinit(struct bp_host *host, void *self)
{
    struct redis *redis = self;
    (void)host;
    for (uint32_t i = 0; redis->links && i < redis->connections; i++)
        connection_deinit(&redis->links[i]);
    free(redis->links);
    redis->links = NULL;
    if (redis->host)
        subscriber_deinit(&redis->subscriber);
    redis->scripts = sha_free(redis->scripts);
    SSL_CTX_free(redis->tls);
    redis->tls = NULL;
}

BP_PLUGIN(.name = "redis", .version = "1.0.0",
          .doc = "Keys, counters, scripts and messages that all replicas share, in a Redis server.",
          .self_size = sizeof(struct redis), .options = options, .provides = provides, .metrics = redis_metrics,
          .init = redis_init, .start = redis_start, .stop = redis_stop, .deinit = redis_deinit);
