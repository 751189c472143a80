/* SPDX-License-Identifier: MIT */
/* A server whose spans, metrics and lines a collector takes: what most of these programs have one of. */
#ifndef TESTS_TRACING_OBSERVED_H
#define TESTS_TRACING_OBSERVED_H

#include "collector.h"
#include "tests/support/server.h"

extern struct collector collector;
extern struct test_server server;

/* .init and .fini of a suite: the collector, without a server. */
void observed_init(void);
void observed_fini(void);
/* Starts the server, which sends to the collector, or to another endpoint, in the collector's form. */
void start(const char *config);
void start_with(const char *config, const char *endpoint);

#endif
