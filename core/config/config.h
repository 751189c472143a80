/* SPDX-License-Identifier: MIT */
/*
 * A configuration as read from its files: includes resolved, ${…} substituted, when/unless applied, --set applied, server options decoded; plugin options are
 * still settings with their origin, because only the plugin's own rows can decode them (core/plugin/assembly.h). Knows no plugin.
 */
#ifndef CORE_CONFIG_CONFIG_H
#define CORE_CONFIG_CONFIG_H

#include "backplane/clock.h"
#include "backplane/field.h"
#include "core/config/report.h"

struct config_place {
    const char *file;
    unsigned line;
};

enum config_kind { CONFIG_TEXT, CONFIG_INTEGER, CONFIG_NUMBER, CONFIG_BOOL, CONFIG_GROUP, CONFIG_LIST };

/* One name = value, with its origin. */
struct config_setting {
    const char *name; /* NULL in lists */
    enum config_kind kind;
    bp_str text; /* after substitution; CONFIG_TEXT */
    int64_t integer;
    double number;
    bool boolean;
    struct config_setting *items; /* CONFIG_GROUP, CONFIG_LIST */
    size_t item_count;
    struct config_place place;
    bool from_environment; /* the text came (partly) from ${NAME} */
    bool from_secret; /* … of a name with SECRET, TOKEN, PASSWORD or KEY in it, or from ${file:…}: never printed */
    /* … of a variable that is not set and has no default: text is a placeholder, "${NAME}". Only with lenient_environment. */
    bool missing_environment;
};

struct config_listen {
    bp_str address; /* "127.0.0.1:3000" "[::1]:3000" "*:3000" "unix:/run/x.sock" "fd:3" */
    uint32_t backlog;
    uint32_t unix_mode; /* 0660 */
    bool proxy_protocol;
    const char *name; /* NULL: serves every route without a listener; else those that name it, and nothing else */
};

/* server: { … } — decoded by config_server_rows, which also document docs/configuration.md */
struct config_server {
    struct bp_array listen; /* struct config_listen */
    uint32_t workers;       /* 0: one per available CPU */
    uint32_t job_workers;
    bp_str data;        /* folder; BACKPLANE_DATA */
    bp_str plugin_path; /* folder searched before the shipped plugins'; empty: none */
    uint32_t profile;   /* 0 development, 1 production */
    bp_str secret;      /* what keys of the server's own are derived from; empty: made up */
    uint32_t log_level, log_format;
    bp_str audit_log;                /* "", "stderr", "stdout", or a file */
    struct bp_array trusted_proxies; /* struct bp_network */
    uint32_t proxy_header;           /* enum forwarded_header */
    /* connections */
    uint32_t max_connections;
    uint64_t max_target, max_field, max_head, max_trailer, body_limit;
    uint32_t max_fields;
    uint32_t not_acceptable; /* enum accept_refusal */
    bp_str problem_base;     /* stands before the code in the type of a problem; empty: about:blank */
    bp_span head_timeout, idle_timeout, body_timeout, write_timeout, request_timeout, fin_grace;
    uint64_t write_buffer; /* bytes of queued output at which a connection stops reading and streams wait */
    /* life */
    bp_span drain_delay, drain_timeout;
    bp_span stall_timeout;
    bp_span restart_backoff_max, reload_timeout;
    uint32_t quarantine_after;
    uint64_t worker_memory; /* bytes; 0: no limit */
    uint32_t offload_threads, offload_queue;
    uint64_t shared_memory; /* bytes of virtual size */
};
extern const struct bp_field config_server_rows[];
/* The core's own keys of an entry: of a server.listen, plugins: and routes: entry, and of a stage written as a group. */
extern const struct bp_field config_listen_rows[], config_plugin_rows[], config_route_rows[], config_stage_rows[];

struct config_plugin {
    const char *use;  /* plugin name */
    const char *name; /* instance name; default: use */
    bool optional;
    const struct config_setting *setting; /* the whole group; use, name, optional, when, unless are the core's keys */
    struct config_place place;
};
struct config_stage {
    const char *use; /* instance name */
    const char *as;  /* NULL: "<pipeline>.<instance>" */
    bool locked;
    const struct config_setting *setting; /* NULL when written as a bare string */
    struct config_place place;
};
/* As written: "@name", "-name" and stages; expansion is core/pipeline's. */
enum config_entry_kind { CONFIG_ENTRY_STAGE, CONFIG_ENTRY_INCLUDE, CONFIG_ENTRY_REMOVE };
struct config_entry {
    enum config_entry_kind kind;
    struct config_stage stage; /* .use is the pipeline's name for INCLUDE, the stage's for REMOVE */
};
struct config_pipeline {
    const char *name;
    struct config_entry *entries;
    size_t entry_count;
    struct config_place place;
};
struct config_route {
    const char *match; /* "/api/v1/<star>" (prefix) or an exact path */
    const char *pipeline;
    const char *listener; /* config_listener_name(): where alone it is served; NULL: on the listeners without a name */
    struct config_place place;
};

struct config {
    const char *file;
    struct config_server server;
    struct config_plugin *plugins;
    size_t plugin_count;
    struct config_pipeline *pipelines;
    size_t pipeline_count;
    struct config_route *routes;
    size_t route_count;
    const struct config_setting *root; /* for `config print` */
    struct bp_arena *arena;            /* owns everything above */
};

struct config_load_options {
    const char *file;
    const char *const *sets; /* "path=value", e.g. "server.workers=2", "plugins.auth.secret=…" (by instance name) */
    size_t set_count;
    const char
        *without; /* instances that are left out, with their stages: names with commas between them; NULL: none */
    bool lenient_environment; /* check, explain, migrate: a missing ${NAME} is a placeholder, not an error */
    bool
        keep_invalid; /* check: also gives what could be read of an invalid one (BP_INVALID all the same), so that plugins can be asked too */
};
/* Everything wrong goes into the report (returns BP_INVALID); nothing is printed. */
int config_load(const struct config_load_options *options, struct report *report, struct config **ret_config);
struct config *config_free(struct config *config);
/* The name, as every route that is served there has it (compare the pointers); NULL when no listener has it. */
const char *config_listener_name(const struct config_server *server, bp_str name);
/* Letters, digits, _ and -, beginning with a letter or _: plugins, instances, stages, pipelines, listeners. */
#define CONFIG_NAME_MAX 64
/* Together half of the slots of shared memory: a reload starts as many again. */
#define CONFIG_JOB_WORKERS_MAX 16u
#define CONFIG_WORKERS_MAX (BP_WORKER_SLOTS / 2 - CONFIG_JOB_WORKERS_MAX)
bool config_name_valid(bp_str name);
/* Adds an entry for a plugin that a command needs, with the defaults of its options, unless there is one. BP_NOMEM or 0. */
int config_add_plugin(struct config *config, const char *use);
/* The item of a group, or NULL. */
const struct config_setting *config_get(const struct config_setting *group, const char *name);
/*
 * Decodes one setting by its row into object: kinds checked, problems reported at the setting's place under path ("plugins.auth.secret": the setting's own).
 * True when fine. A placeholder of a missing variable leaves the row's default, or for a text without one the placeholder itself, and is fine.
 */
bool config_decode(const struct config_setting *setting, const struct bp_field *row, const char *path,
                   struct bp_arena *arena, void *object, struct report *report);
/* Decodes a whole group: defaults first, then each item; unknown keys and missing required ones are reported under path ("server"). True when fine. */
bool config_decode_group(const struct config_setting *group, const struct bp_field *rows, const char *path,
                         struct bp_arena *arena, void *object, struct report *report);

#endif
