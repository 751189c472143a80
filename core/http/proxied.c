/* SPDX-License-Identifier: MIT */
/* Connections through proxies: who is trusted, and the header of the PROXY protocol. */
#include "backplane/log.h"
#include "core/config/config.h"
#include "core/http/connection_internal.h"
#include "core/http/proxy_header.h"
#include "core/http/server_internal.h"

void connection_judge_peer(struct connection *c)
{
    const struct bp_array *trusted = &c->server->options->trusted_proxies;
    c->peer_trusted = trusted->len > 0 &&
                      bp_networks_hold(trusted->ptr, trusted->len, bp_str_n((const char *)c->peer.bytes, c->peer.len));
}

/* Once a second: whoever finds the port could fill the log. */
static void refuse(struct connection *c, const char *reason)
{
    struct server *server = c->server;
    bp_time now = loop_now(server->loop);
    server->refused_headers++;
    if (server->refused_logged == 0 || now - server->refused_logged >= BP_SECOND) {
        bp_log(NULL, BP_LOG_WARN, "server.proxy_refused", "A connection without a good PROXY header was closed",
               bp_log_cstr("reason", reason), bp_log_int("connections", (int64_t)server->refused_headers));
        server->refused_logged = now;
        server->refused_headers = 0;
    }
    connection_kill(c);
}

bool connection_take_header(struct connection *c)
{
    enum proxy_command command;
    struct bp_address address;
    const char *reason;
    if (!c->peer_trusted) {
        refuse(c, "the peer is none of server.trusted_proxies");
        return false;
    }
    long len = proxy_header_parse(bp_str_n(c->in->data + c->start, c->end - c->start), &command, &address, &reason);
    if (len < 0)
        refuse(c, reason);
    if (len <= 0)
        return false;
    c->awaits_header = false;
    c->start += (uint32_t)len;
    if (command == PROXY_UNKNOWN) {
        c->peer_trusted = false; /* what follows is not the proxy's own */
    } else if (command == PROXY_NAMED) {
        c->peer = address;
        connection_judge_peer(c);
    }
    return c->start != c->end;
}
