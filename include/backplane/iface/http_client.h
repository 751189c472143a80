/* SPDX-License-Identifier: MIT */
/*
 * The "http_client" interface, version 1: requests to other servers by HTTP/1.1 and TLS. Provided by http_client.
 *
 *     struct bp_http_response response;
 *     int status = bp_http_send(self->http_client,
 *                               &BP_HTTP_REQUEST(.method = BP_STR_INIT("POST"), .url = url, .headers = headers, .header_count = 1,
 *                                                .body = body, .timeout = 5 * BP_SECOND, .flags = BP_HTTP_GUARDED),
 *                               bp_fiber_arena(), &response);
 *     if (status == 0 && response.status < 300) …
 *
 * Certificates are always verified, against the name in the URL; TLS 1.2 at least. Neither proxies of the environment, nor .netrc, cookies or
 * compressed replies.
 */
#ifndef BACKPLANE_IFACE_HTTP_CLIENT_H
#define BACKPLANE_IFACE_HTTP_CLIENT_H

#include "backplane/arena.h"
#include "backplane/clock.h"
#include "backplane/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BP_HTTP_CLIENT "http_client"
#define BP_HTTP_CLIENT_VERSION 1u

/* A field of a request or a response. */
struct bp_http_header {
    bp_str name, value;
};

/* The URL comes from somebody who is not trusted (a webhook): connects to addresses of the public internet only, not to this machine, private or
 * link-local networks or a cloud's metadata, whatever a name resolves to, looked at for each connection. The provider's option
 * private_networks has exceptions. */
#define BP_HTTP_GUARDED 1u
/* Refuses http:// URLs, also as the target of a redirect. */
#define BP_HTTP_TLS_ONLY 2u
/* A body longer than response_max is no error: that much of it is the response's, and the connection is closed on the rest. */
#define BP_HTTP_CUT 4u
/* No place is waited for: BP_BUSY when none is free. So its timeout, and how long it took, are the other server's alone. */
#define BP_HTTP_AT_ONCE 8u

/* Begins with its size. All of it is borrowed until the call returns. */
struct bp_http_request {
    uint32_t size;
    uint32_t flags;
    bp_str method; /* empty: GET */
    bp_str url;    /* http:// or https:// */
    /* Set by the client, and BP_MISUSE here: Connection, Content-Length, Expect, Host, Transfer-Encoding. User-Agent: of this server, unless given. */
    const struct bp_http_header *headers;
    size_t header_count;
    bp_str body;           /* ptr NULL: none */
    bp_span timeout;       /* of all of it, the wait for a free place too; 0: the provider's */
    uint64_t response_max; /* bytes of the body at most (see BP_HTTP_CUT); 0: the provider's */
    bp_str ca_file;        /* authorities in PEM, in place of the system's; empty: those */
    uint32_t redirects; /* of GET and HEAD, at most so many are followed; 0: a redirect is a response like any other */
    uint32_t spare;
};
#ifndef __cplusplus
#define BP_HTTP_REQUEST(...)                                \
    (struct bp_http_request)                                \
    {                                                       \
        .size = sizeof(struct bp_http_request), __VA_ARGS__ \
    }
#endif

/* Why there is no response. Texts for logs and metrics: bp_http_condition(). */
enum bp_http_condition {
    BP_HTTP_E_URL = 1,   /* is none, or of another scheme */
    BP_HTTP_E_NAME,      /* has no address */
    BP_HTTP_E_ADDRESS,   /* BP_HTTP_GUARDED: it has none that may be connected to */
    BP_HTTP_E_CONNECT,   /* refused, unreachable, or not in time */
    BP_HTTP_E_TLS,       /* no handshake, or a certificate that is not trusted for this name */
    BP_HTTP_E_SENT,      /* lost when the request was on its way or sent: the server may have acted on it */
    BP_HTTP_E_RESPONSE,  /* is not HTTP */
    BP_HTTP_E_TOO_LARGE, /* more than response_max */
    BP_HTTP_E_TOO_MANY_REDIRECTS,
    BP_HTTP_E_FILE, /* ca_file cannot be read */
};

/* All in the arena. */
struct bp_http_response {
    unsigned status;                      /* 200 … */
    const struct bp_http_header *headers; /* as they came, without trailers; names in lower case */
    size_t header_count;
    bp_str body;
    bp_str why; /* when the call returned a condition or BP_TIMEOUT, and only then: a sentence for logs */
};

/* Call it through bp_http_send(). */
struct bp_http_client_vtable {
    uint32_t size;
    uint32_t spare;
    /*
     * Sends a request and waits for the whole response: on any fiber, a request's or one of bp_spawn(). Suspends. 0: there is a response, of
     * whatever status. A condition (enum bp_http_condition): there is none, *ret_response holds but why. BP_BUSY: too many wait already, or with BP_HTTP_AT_ONCE one would have to; nothing was sent.
     * BP_TIMEOUT: the timeout or the fiber's deadline; the server may have acted on it. BP_CANCELED, BP_NOMEM, BP_MISUSE (a field or method that
     * cannot be sent). A request on a kept connection that turns out to be closed is sent once more on a new one.
     */
    int (*send)(void *self, const struct bp_http_request *request, struct bp_arena *arena,
                struct bp_http_response *ret_response);
};

/* As .send. */
static inline int bp_http_send(struct bp_service client, const struct bp_http_request *request, struct bp_arena *arena,
                               struct bp_http_response *ret_response)
{
    return ((const struct bp_http_client_vtable *)client.vtable)->send(client.self, request, arena, ret_response);
}

/* The first field of this name, which is in lower case; ptr NULL: none. */
static inline bp_str bp_http_header(const struct bp_http_response *response, bp_str name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (bp_str_eq(response->headers[i].name, name))
            return response->headers[i].value;
    return bp_str_n(NULL, 0);
}

/* "tls"; never NULL. */
static inline const char *bp_http_condition(int condition)
{
    static const char *const names[] = {"none", "url",  "name",     "address",   "connect",
                                        "tls",  "sent", "response", "too_large", "too_many_redirects",
                                        "file"};
    size_t index = condition > 0 ? (size_t)condition : 0;
    return index < sizeof(names) / sizeof(names[0]) ? names[index] : names[0];
}

#ifdef __cplusplus
}
#endif
#endif
