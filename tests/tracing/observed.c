/* SPDX-License-Identifier: MIT */
#include "observed.h"

struct collector collector;
struct test_server server;

void observed_init(void)
{
    collector_start(&collector);
}

void observed_fini(void)
{
    collector_stop(&collector);
}

void start_with(const char *config, const char *endpoint)
{
    const char *environment[] = {endpoint, NULL};
    server_start(&server, &(struct server_options){.config = config, .environment = environment});
}

void start(const char *config)
{
    start_with(config, collector.endpoint);
}
