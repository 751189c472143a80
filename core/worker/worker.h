/* SPDX-License-Identifier: MIT */
/* A worker process: one loop, the plugins of the configuration, the sockets it inherited. */
#ifndef CORE_WORKER_WORKER_H
#define CORE_WORKER_WORKER_H

struct child;
struct config_load_options;

/* Runs until it was told to drain, or its supervisor is gone. The exit code. */
int worker_main(const struct child *child, const struct config_load_options *options);

#endif
