/* SPDX-License-Identifier: MIT */
/*
 * A plugin is a shared object that exports one function, made by BP_PLUGIN(). It has no globals that change: the same
 * plugin may be loaded under several instance names, each with a struct of its own ("self"). No function here suspends.
 *
 * Life of an instance: the core zeroes self and fills it from the options → init → (per worker) start → requests →
 * stop → deinit, exactly once, on every path, also after an init that failed.
 */
#ifndef BACKPLANE_PLUGIN_H
#define BACKPLANE_PLUGIN_H

#include "backplane/field.h"
#include "backplane/metric.h"
#include "backplane/request.h"
#include "backplane/route.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the server compares before it trusts a plugin: see docs/abi-changes.md. */
#define BP_ABI_MAGIC 0x42504c4eu /* "BPLN" */
#define BP_ABI_MAJOR 1u
#define BP_ABI_MINOR 0u

/* One instance of a plugin, as the core knows it. */
struct bp_host;

/* What a stage is for. In a pipeline the phases of its stages never go down; BP_PHASE_ANY fits anywhere. */
enum bp_phase {
    BP_PHASE_ANY,
    BP_PHASE_OBSERVE,  /* request_id, access_log, metrics, tracing */
    BP_PHASE_PROTECT,  /* security_headers, cors, rate_limit by address */
    BP_PHASE_IDENTIFY, /* auth */
    BP_PHASE_SHAPE,    /* what needs to know who asks: per-user limits, validation */
    BP_PHASE_REUSE,    /* cache, idempotency */
    BP_PHASE_HANDLE
};

/* A service this plugin uses: the core writes the provider into the struct bp_service at offset of self, before init.
 * In the configuration, `<key> = "instance"` chooses among several providers. Begins with its size. */
struct bp_need {
    uint32_t size;
    uint32_t version;
    const char *interface;
    uint32_t offset;
    uint32_t optional; /* 1: vtable stays NULL when there is no provider */
    const char *
        key; /* of the entry's setting that chooses the provider, where an option, or another need, has the interface's name; NULL: that name */
};

/* A service this plugin offers. vtable begins with its own size. */
struct bp_provide {
    uint32_t size;
    uint32_t version;
    const char *interface;
    const void *vtable;
};

/* A handle to a provider: call handle.vtable->function(handle.self, …) through the interface's header. */
struct bp_service {
    const void *vtable;
    void *self;
};

/* One step of a database schema, owned by the plugin that needs it. Begins with its size. */
struct bp_migration {
    uint32_t size;
    uint32_t version;        /* 1, 2, 3 …: without gaps */
    const char *name;        /* "create_todos" */
    const char *up;          /* SQL, several statements */
    const char *up_postgres; /* where it must differ from up; NULL: the same */
    const char *down;        /* undoes it; NULL: it cannot be undone */
    const char *down_postgres;
};

/* A command of the executable that a plugin brings. It is run in a process of its own that serves nothing. Begins with its size. */
struct bp_command {
    uint32_t size;
    uint32_t changes; /* 1: it changes something, so the audit log is open (bp_audit()); 0: it only reads */
    const char *name; /* "import-prisma" */
    const char *doc;  /* one line */
    /* On a fiber, when the providers of what the plugin needs were started, and then it, but nothing else. Writes what it has to say to standard
     * output and standard error. Returns the exit status of the process: 0 done, 1 failed. */
    int (*run)(struct bp_host *host, void *self, const char *const *arguments, size_t count);
};

/* What one use of a middleware asks of the pipeline it stands in. Begins with its size. */
struct bp_stage_rules {
    uint32_t size;
    uint32_t phase;          /* enum bp_phase */
    uint32_t needs_identity; /* 1: as in struct bp_plugin */
};

/* What a plugin is. Made by BP_PLUGIN(), which fills the first four members; what is left out is zero. */
struct bp_plugin {
    uint32_t magic;
    uint16_t abi_major, abi_minor;
    uint32_t size;
    uint32_t self_size;
    uint32_t stage_size; /* struct filled by BP_STAGE rows; 0: none */
    uint32_t phase;      /* enum bp_phase, of .middleware */
    const char *name;    /* equal to the file's: plugins/<name>.so */
    const char *version;
    const char *doc;
    const struct bp_field *options;
    const struct bp_need *needs;           /* ends with BP_NEED_END */
    const struct bp_provide *provides;     /* ends with BP_PROVIDE_END */
    const struct bp_route *routes;         /* ends with BP_ROUTE_END */
    const struct bp_migration *migrations; /* ends with BP_MIGRATION_END; needs "database" */
    const char *const *after; /* plugins that must come before this stage where both are used; NULL-ended */

    /* Cross-field rules, slots, metrics. No I/O: `check` runs it. Does not suspend. */
    int (*init)(struct bp_host *host, void *self);
    /* In each worker, in the order of needs: connect, timers. On a fiber; may suspend. Not zero: the worker does not start. */
    int (*start)(struct bp_host *host, void *self);
    /* In the reverse order, on a fiber. No request uses the instance any more. */
    void (*stop)(struct bp_host *host, void *self);
    /* Frees what init made. Exactly once, also when init failed half-way: accept zeroes. */
    void (*deinit)(struct bp_host *host, void *self);
    bp_handler *middleware;  /* NULL: cannot be used as a stage */
    uint32_t needs_identity; /* 1: before this stage must come one that identifies; else it is an error */
    uint32_t spare32;
    /* For a middleware whose phase depends on its stage options (a limit by address, or by user): changes *rules, which
     * hold .phase and .needs_identity. Pure; called before init. NULL: they hold for every use. */
    void (*stage_rules)(const void *stage, struct bp_stage_rules *rules);
    const struct bp_command *commands; /* ends with BP_COMMAND_END */
    const struct bp_answer *answers;   /* of .middleware, for documents: what it adds to the routes that it guards */
    /* Once, in a process of its own, before migrations and workers: refuses a start for want of what only a running server needs, which
     * `check` and `migrate` do without: a secret, a peer. After init, in the order of needs; no fiber, no loop: it may block, for seconds
     * at most. Not zero, with bp_start_error(): the server does not start. A worker that is replaced does not ask again. */
    int (*before_start)(struct bp_host *host, void *self);
    const struct bp_metric_row *metrics; /* ends with BP_METRIC_END */
    const void *spare[3];
};

#ifdef __cplusplus
#define BP_EXPORT_ extern "C" __attribute__((visibility("default")))
#else
#define BP_EXPORT_ __attribute__((visibility("default")))
/* Rows of .needs: the interface, the version asked for, and the struct bp_service in self that it is written to.
 *
 *     BP_NEED("database", 1, struct todos, db), BP_NEED("cache", 1, struct todos, cache, .optional = 1), BP_NEED_END
 */
#define BP_NEED(interface_, version_, S, ...) \
    BP_NEED_(interface_, version_, S, __VA_ARGS__, .size = sizeof(struct bp_need))
#define BP_NEED_(interface_, version_, S, member, ...)                                                         \
    {                                                                                                          \
        .interface = (interface_), .version = (version_), .offset = (uint32_t)offsetof(S, member), __VA_ARGS__ \
    }
#define BP_NEED_END \
    {               \
        .size = 0   \
    }
/* Rows of .provides: the interface, its version, and a vtable that lives as long as the plugin. */
#define BP_PROVIDE(interface_, version_, vtable_)                                                                \
    {                                                                                                            \
        .size = sizeof(struct bp_provide), .interface = (interface_), .version = (version_), .vtable = (vtable_) \
    }
#define BP_PROVIDE_END \
    {                  \
        .size = 0      \
    }
/* Rows of .migrations. */
#define BP_MIGRATION(...)                                \
    {                                                    \
        .size = sizeof(struct bp_migration), __VA_ARGS__ \
    }
#define BP_MIGRATION_END \
    {                    \
        .size = 0        \
    }
/* Rows of .commands. */
#define BP_COMMAND(...)                                \
    {                                                  \
        .size = sizeof(struct bp_command), __VA_ARGS__ \
    }
#define BP_COMMAND_END \
    {                  \
        .size = 0      \
    }
/* Once in each plugin: the one function that it exports.
 *
 *     BP_PLUGIN(.name = "hello", .version = "1.0.0", .middleware = hello);
 */
#define BP_PLUGIN(...)                                                     \
    BP_EXPORT_ const struct bp_plugin *backplane_plugin(void);             \
    BP_EXPORT_ const struct bp_plugin *backplane_plugin(void)              \
    {                                                                      \
        static const struct bp_plugin plugin = {.magic = BP_ABI_MAGIC,     \
                                                .abi_major = BP_ABI_MAJOR, \
                                                .abi_minor = BP_ABI_MINOR, \
                                                .size = sizeof(plugin),    \
                                                __VA_ARGS__};              \
        return &plugin;                                                    \
    }                                                                      \
    _Static_assert(1, "")
#endif

/* The version of the server that runs ("1.0.0"). Thread-safe. */
const char *bp_version(void);
/* The name of the instance ("main", "per_user"). Lives as long as the instance. Thread-safe. */
bp_str bp_instance_name(const struct bp_host *host);
/* The folder for data (BACKPLANE_DATA), absolute, NUL behind it. Lives as long as the instance. Thread-safe. */
bp_str bp_data_dir(const struct bp_host *host);
/* True when server.profile is "production" (NODE_ENV=production with the shipped configuration). From init on. Thread-safe. */
bool bp_is_production(const struct bp_host *host);
/* True from the moment this worker was told that it will stop: readiness must fail. Thread-safe. */
bool bp_draining(void);
/* True in a worker from when all its instances have started until the first of them is stopped: work in the background that calls other plugins is
 * done then only. Thread-safe. */
bool bp_serving(void);
/* True in a worker that accepts no connections and runs jobs instead (server.job_workers), false in one that serves and in commands: what is to
 * happen in the background, once for a server and not once for each of its workers, is begun there, in start. Thread-safe. */
bool bp_runs_jobs(void);
/* In init: reports a configuration error at the option's file:line (the entry's when option is NULL; "fields[2].max" is the one inside
 * a list of groups) and returns BP_INVALID:
 * `return bp_config_error(host, "secret", "must have at least 32 characters, has %zu", n);` */
int bp_config_error(struct bp_host *host, const char *option, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* In init, of a plugin without .routes: what this instance answers, made from its options. The rows are copied; what they point to must
 * live as long as the process. 0, BP_INVALID (reported), BP_MISUSE outside of init, BP_NOMEM. */
int bp_routes_add(struct bp_host *host, const struct bp_route *routes);
/* In init, of a plugin without .migrations: the steps of this instance's tables, recorded in the database as those of "<plugin>.<owner>", so
 * that each instance has a history of its own. The same options must always give the same texts: those that are applied may not change. The
 * rows are copied; what they point to must live as long as the process. Needs "database". Returns as bp_routes_add(). */
int bp_migrations_add(struct bp_host *host, const char *owner, const struct bp_migration *migrations);
/* In init, before_start and start: says why it failed, in the log and in check's report; returns BP_ERROR. */
int bp_start_error(struct bp_host *host, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* In a middleware, on the request's fiber: this stage's own name ("per_user", "api.rate_limit"), the key of its shared state. Lives as long
 * as the instance. Does not suspend. */
bp_str bp_stage_name(const struct bp_request *rq);
/* In init and start: calls function for every use of this instance in the pipelines, with that stage's options (they live as long as the
 * instance). Does not suspend. */
void bp_stages_each(struct bp_host *host,
                    void (*function)(struct bp_host *host, bp_str stage_name, const void *stage, void *argument),
                    void *argument);

#ifdef __cplusplus
}
#endif
#endif
