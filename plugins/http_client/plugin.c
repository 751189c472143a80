/* SPDX-License-Identifier: MIT */
/* http_client: requests to other servers. */
#include "client.h"
#include "exchange.h"

static const struct bp_field network_rows[] = {{.name = "", .type = BP_TYPE_TEXT}, BP_END};

static const struct bp_field options[] = {
    BP_SPAN(struct http_client, timeout, .def = "10s", .min = BP_MILLISECOND, .max = BP_HOUR,
            .doc = "How long a request may take, unless its sender says otherwise: from asking to the last byte of the "
                   "response."),
    BP_SPAN(struct http_client, connect_timeout, .def = "4s", .min = BP_MILLISECOND, .max = BP_HOUR,
            .doc = "How long looking up the name, connecting and the TLS handshake may take of that."),
    BP_SIZE(struct http_client, response_max, .def = "1MiB", .min = 1, .max = INT64_C(1) << 30,
            .doc = "Largest body of a response, unless the sender says otherwise."),
    BP_U32(struct http_client, connections, .def = "32", .min = 1, .max = 4096,
           .doc = "Requests of each worker at a time; so many connections are kept for the next ones, too."),
    BP_U32(struct http_client, connections_per_host, .def = "8", .min = 1, .max = 4096,
           .doc =
               "Of them to one host. Not of guarded ones (webhooks), where one host would hold up what is for others: "
               "their sender limits them."),
    BP_U32(struct http_client, queue, .def = "256", .min = 0, .max = 65536,
           .doc = "Requests of each worker that may wait for their turn; what comes after them is refused."),
    BP_TEXT(struct http_client, ca_file, .def = "", .max = 1024,
            .doc = "Authorities in PEM, in place of the system's."),
    BP_ARRAY(struct http_client, private_networks, bp_str, network_rows, .max = 64,
             .doc = "Networks that guarded requests (webhooks) may reach although they are not of the public internet: "
                    "\"10.1.0.0/16\"; several in one text are "
                    "separated by commas."),
    BP_END};

static const struct bp_http_client_vtable vtable = {.size = sizeof(vtable), .send = client_send};
static const struct bp_provide provides[] = {BP_PROVIDE(BP_HTTP_CLIENT, BP_HTTP_CLIENT_VERSION, &vtable),
                                             BP_PROVIDE_END};

static int http_client_init(struct bp_host *host, void *self)
{
    struct http_client *client = self;
    bp_str which = BP_STR("");
    client->host = host;
    const char *problem = guard_init(&client->guard, client->private_networks, &which);
    if (problem)
        return bp_config_error(host, "private_networks", "\"%" BP_STR_FMT "\" %s", BP_STR_ARG(which), problem);
    places_init(&client->places, client->connections, client->queue);
    return 0;
}

static int http_client_start(struct bp_host *host, void *self)
{
    struct http_client *client = self;
    /* On this thread, before others may need it. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return bp_start_error(host, "libcurl could not be set up");
    observe_start(client);
    int status = 0;
    for (size_t i = 0; i < 2 && status == 0; i++)
        status = pool_init(&client->pools[i], host, client->connections, i == 1 ? 0 : client->connections_per_host,
                           exchange_ended);
    return status;
}

/* Whoever uses it has been stopped. */
static void http_client_stop(struct bp_host *host, void *self)
{
    struct http_client *client = self;
    (void)host;
    for (size_t i = 0; i < 2; i++)
        pool_deinit(&client->pools[i]);
}

/* After a start that failed, stop is not called. */
static void http_client_deinit(struct bp_host *host, void *self)
{
    http_client_stop(host, self);
}

BP_PLUGIN(.name = "http_client", .version = "1.0.0", .doc = "Requests to other servers by HTTP and TLS.",
          .self_size = sizeof(struct http_client), .options = options, .provides = provides,
          .metrics = http_client_metrics, .init = http_client_init, .start = http_client_start,
          .stop = http_client_stop, .deinit = http_client_deinit);
