/* SPDX-License-Identifier: MIT */
/* A network that fails on command: a TCP proxy on 127.0.0.1, on a thread of the test's. */
#ifndef SUPPORT_FAULT_PROXY_H
#define SUPPORT_FAULT_PROXY_H

#include <stdbool.h>
#include <stddef.h>

struct fault_proxy;

/* Passes what comes to a free port on to 127.0.0.1:target. */
struct fault_proxy *fault_proxy_start(int target);
struct fault_proxy *fault_proxy_stop(struct fault_proxy *proxy); /* NULL */
int fault_proxy_port(const struct fault_proxy *proxy);

/* What is in force from now on, for connections old and new; each ends the one before. They return when the proxy heeds it. */
void fault_proxy_pass(struct fault_proxy *proxy);
/* What is read from either side is passed on this much later. */
void fault_proxy_delay(struct fault_proxy *proxy, unsigned milliseconds);
/* Nothing is read or passed on any more: a cable that was pulled. New connections are accepted by the kernel, and get no answer. */
void fault_proxy_black_hole(struct fault_proxy *proxy);
/* Connections are reset, new ones are refused. */
void fault_proxy_refuse(struct fault_proxy *proxy);

/* Resets all connections once; new ones pass. */
void fault_proxy_cut(struct fault_proxy *proxy);
/* Once: when so many more bytes of answers have been passed on to clients, over all connections, the connection that they ended on is reset in the
 * middle of whatever it was saying, and the others with it when all is true. What follows passes. */
void fault_proxy_cut_after(struct fault_proxy *proxy, size_t bytes, bool all);
/* Whether the cut that was asked for has taken place. */
bool fault_proxy_has_cut(struct fault_proxy *proxy);
/* Connections now; those accepted so far. */
unsigned fault_proxy_connections(struct fault_proxy *proxy);
unsigned fault_proxy_accepted(struct fault_proxy *proxy);

#endif
