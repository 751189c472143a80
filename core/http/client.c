/* SPDX-License-Identifier: MIT */
/* Whom a request is from: the peer, or whom trusted proxies name. Found out when first asked for. */
#include <arpa/inet.h>

#include "core/config/config.h"
#include "core/http/connection.h"
#include "core/http/forwarded.h"
#include "core/http/request.h"
#include "core/http/server_internal.h"

static bp_str address_text(const uint8_t *bytes, size_t len, char *text, uint8_t *text_len)
{
    if (len == 0)
        return BP_STR("unix");
    if (*text_len == 0 && inet_ntop(len == 4 ? AF_INET : AF_INET6, bytes, text, INET6_ADDRSTRLEN))
        *text_len = (uint8_t)strlen(text);
    return bp_str_n(text, *text_len);
}

bp_str bp_request_peer(const struct bp_request *rq)
{
    struct connection *c = rq->connection;
    return address_text(c->peer.bytes, c->peer.len, c->peer_text, &c->peer_text_len);
}

bp_str bp_request_peer_bytes(const struct bp_request *rq)
{
    return bp_str_n((const char *)rq->connection->peer.bytes, rq->connection->peer.len);
}

/* Only for a peer that is trusted: everything else is answered without. No request is a const object, its readers only do not see it change. */
static struct request_client *client_of(const struct bp_request *asked)
{
    struct bp_request *rq = (struct bp_request *)(uintptr_t)asked;
    struct request_client *client = &rq->client;
    if (rq->client_known)
        return client;
    const struct connection *c = rq->connection;
    const struct bp_array *trusted = &c->server->options->trusted_proxies;
    enum forwarded_word word;
    client->address = c->peer;
    client->text_len = 0;
    forwarded_walk(&rq->head, (enum forwarded_header)c->server->options->proxy_header, trusted->ptr, trusted->len,
                   &client->address, &word);
    client->secure = word == FORWARDED_SILENT ? c->secure : word == FORWARDED_SECURE;
    rq->client_known = true;
    return client;
}

bp_str bp_request_client(const struct bp_request *rq)
{
    if (!rq->connection->peer_trusted)
        return bp_request_peer(rq);
    struct request_client *client = client_of(rq);
    return address_text(client->address.bytes, client->address.len, client->text, &client->text_len);
}

bp_str bp_request_client_bytes(const struct bp_request *rq)
{
    if (!rq->connection->peer_trusted)
        return bp_request_peer_bytes(rq);
    const struct request_client *client = client_of(rq);
    return bp_str_n((const char *)client->address.bytes, client->address.len);
}

bool bp_request_secure(const struct bp_request *rq)
{
    return rq->connection->peer_trusted ? client_of(rq)->secure : rq->connection->secure;
}
