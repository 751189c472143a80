/* SPDX-License-Identifier: MIT */
#ifndef CORE_PLUGIN_HEALTH_H
#define CORE_PLUGIN_HEALTH_H

struct bp_host;

/* On a fiber, before the instance's stop: its checks are not asked any more; one under way is cancelled and waited for. Suspends. */
void health_close(const struct bp_host *host);

#endif
