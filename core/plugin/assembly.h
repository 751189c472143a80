/* SPDX-License-Identifier: MIT */
/*
 * What a configuration puts together: loaded plugins, their instances with decoded options, services wired, routes and pipelines compiled.
 * assembly_load does no I/O but dlopen, so `check`, `explain` and `routes` use it too.
 */
#ifndef CORE_PLUGIN_ASSEMBLY_H
#define CORE_PLUGIN_ASSEMBLY_H

#include "backplane/plugin.h"
#include "core/config/config.h"
#include "core/plugin/hooks.h"
#include "core/route/router.h"

struct loop;
struct shared;

/* One plugins: entry. struct bp_host is the first member of nothing: an instance is the host that its plugin sees. */
struct bp_host {
    const char *name;
    bp_str name_str;
    struct bp_plugin plugin; /* full-size, zero-filled copy of the descriptor */
    const struct config_plugin *config;
    void *self; /* from malloc */
    struct assembly *assembly;
    const char *file;             /* the shared object, as it was opened */
    void *stage_defaults;         /* the stage struct as the plugins: entry leaves it; NULL without one */
    struct bp_host **providers;   /* of each row of plugin.needs; NULL for an optional one that is not there */
    const char *migrations_owner; /* of bp_migrations_add(); NULL: the plugin's name */
    bool wrong;                   /* something was reported about it: init is not called */
    bool incomplete;              /* a placeholder stands where the environment lacks a value: init gave up on it */
    bool init_called;             /* so that deinit is due */
    bool start_error_said;
    struct hook_series series;
    bool left_out; /* by assembly_start_for(): not started */
    enum { HOST_LOADED, HOST_READY /* init done */, HOST_STARTED, HOST_STOPPED } state;
};

/* A stage in a compiled pipeline. */
struct stage {
    bp_handler *function;
    void *self;
    const void *options; /* the stage struct, NULL when the plugin has none */
    struct bp_host *host;
    bp_str name;            /* "base.rate_limit", after the pipeline it was written in, or its `as` */
    const char *short_name; /* "rate_limit" or its `as`: what "-name" and replacing go by */
    bool locked;
    struct config_place place; /* where it was written */
};
struct pipeline {
    bp_str name;
    size_t count;
    /* Stages before the first that identifies: all that run for what no route answers (404, 405, 400), so that authentication guards
     * routes and not the news that there is none. */
    size_t open_count;
    /* Stages before the first that may answer in the place of the handler (phase "reuse"), or all: behind them roles and scopes
     * are checked. */
    size_t guard_index;
    bool identifies; /* one of its stages finds out who asks */
    struct stage *stages;
};
/* A route of a plugin with the pipeline that guards it. */
struct endpoint {
    struct bp_route route; /* full-size copy */
    struct bp_host *host;
    struct resource *resource; /* of route.resource */
    const struct pipeline *pipeline;
    const char *listener; /* of its routes: entry; NULL: the listeners without a name */
};

struct assembly {
    const struct config *config;
    struct bp_host **hosts; /* in start order: providers before those who need them */
    size_t host_count;
    struct pipeline *pipelines;
    size_t pipeline_count;
    struct endpoint *endpoints;
    size_t endpoint_count;
    struct router *router; /* values: struct endpoint * */
    size_t slot_bytes;     /* request slots, sum over plugins */
    struct stage *stages;  /* each stage that is written in a pipeline, once, in the order written */
    size_t stage_count;
    const char *data_dir;  /* absolute */
    struct loop *loop;     /* set by the worker before assembly_start; NULL in check */
    struct shared *shared; /* never NULL: private memory in check */
    struct report *report; /* during load and init only */
    bool incomplete;       /* something could not be loaded: what it would have brought is not called missing */
    struct bp_host *initializing;
    struct reopen_hook *reopen; /* of bp_on_reopen() */
    struct health_node *health; /* of bp_health_new() */
    struct bp_metric *database_duration;
    struct bp_metric *hook_time, *hook_faults;
    struct resource *resources;
    unsigned char cursor_key[32];
    bool cursor_key_made;
    struct bp_arena *arena; /* owns all of it */
};

/* dlopen (RTLD_NOW | RTLD_LOCAL, never closed), ABI check, options, services, init, routes, pipelines. Everything wrong is in the report. */
int assembly_load(const struct config *config, struct shared *shared, struct report *report,
                  struct assembly **ret_assembly);
/* Before any worker, in a one-shot process: what the instances ask for that only a start needs. All are asked; the first failure. */
int assembly_before_start(struct assembly *assembly);
/* On a fiber. Calls start in order; when one fails, those started are stopped again, the reason is logged, and its status returned. */
int assembly_start(struct assembly *assembly);
/* The same for one instance and those that it needs, directly or not; the others are left out. */
int assembly_start_for(struct assembly *assembly, struct bp_host *host);
/* On a fiber. stop in reverse order, spawned fibers joined, timers freed. */
void assembly_stop(struct assembly *assembly);
/* deinit of every host, exactly once. Accepts NULL, returns NULL. */
struct assembly *assembly_free(struct assembly *assembly);

/* Calls what bp_on_reopen() registered. On the loop. */
void assembly_reopen(const struct assembly *assembly);
/* Ends what bp_on_log() began. */
void log_hooks_forget(const struct bp_host *host);

/* The pipeline for a path that no route answers (404, 405): the first routes: entry that matches. NULL: none. */
const struct pipeline *assembly_pipeline_for(const struct assembly *assembly, bp_str path);

#endif
