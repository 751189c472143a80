/* SPDX-License-Identifier: MIT */
/* What the steps of config_load share. */
#ifndef CORE_CONFIG_LOADER_H
#define CORE_CONFIG_LOADER_H

#include "core/config/config.h"

#include <sys/types.h>

/* Brackets inside brackets, in a file; what recurses over settings is bounded by it. */
#define CONFIG_DEPTH_MAX 32
#define CONFIG_PATH_MAX 256

struct setting_list {
    struct config_setting *items;
    size_t len, cap;
};

struct loaded_file {
    dev_t device;
    ino_t inode;
    struct config_place from; /* the include that named it; file NULL: the command line */
};

enum left_out_kind { LEFT_OUT_OTHER, LEFT_OUT_PLUGIN, LEFT_OUT_LISTENER };

/* A plugin instance or a listener that its when or unless left out, for what refers to it. */
struct left_out {
    enum left_out_kind kind;
    bp_str name;
    const char *key; /* "when" or "unless" */
    bp_str variable;
    struct config_place place;
};

struct loader {
    const struct config_load_options *options;
    struct report *report;
    struct bp_arena *arena;
    struct config *config;
    bool no_memory;
    bool incomplete; /* a file could not be read: what it would define must not be called missing */
    /* The sections, merged over all files; server and pipelines are groups. */
    struct config_setting server, plugins, pipelines, routes;
    struct setting_list server_items, plugin_items, pipeline_items, route_items;
    struct loaded_file *files;
    size_t file_count, file_cap;
    unsigned source_count; /* files read, @include too */
    struct left_out *left_out;
    size_t left_out_count, left_out_cap;
};

#define loader_error(loader, place, path, ...) \
    report_error((loader)->report, (place).file, (place).line, (path), __VA_ARGS__)

/* NULL after noting that memory ran out. */
void *loader_alloc(struct loader *loader, size_t count, size_t size);
bp_str loader_copy(struct loader *loader, bp_str text);
/* Makes room for one more item; returns the array, maybe moved; NULL when out of memory. */
void *loader_grow(struct loader *loader, void *items, size_t len, size_t *cap, size_t size);
struct config_setting *setting_list_add(struct loader *loader, struct setting_list *list);

/* After all others: see config_load_options.without. */
void loader_without(struct loader *loader);

/* The file beside `from` that name means, unless it is absolute. */
const char *loader_path(struct loader *loader, const char *from, bp_str name);
/* printf into a path or a hint for a message; what does not fit is cut off. */
void config_path(char text[CONFIG_PATH_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Names in messages: "a text", "an integer" … */
const char *config_kind_name(enum config_kind kind);
/* "; did you mean \"x\"?" or nothing, into text. */
struct suggestion {
    char text[CONFIG_PATH_MAX];
};
struct suggestion config_suggestion(const char *nearest);

/* "; it is left out: its when = …", or a suggestion, for a plugin instance that is not there. */
struct suggestion loader_instance_hint(struct loader *loader, bp_str name);
/* The instance a plugins: entry makes: its name, else its use; empty when neither is text. */
bp_str config_instance_name(const struct config_setting *entry);

struct variable {
    bp_str text;         /* ptr NULL: it is not set */
    const char *file;    /* that NAME_FILE names; NULL: it names none */
    const char *problem; /* why the file cannot be read; NULL: it can */
    bool twice;          /* NAME and NAME_FILE are both set, which is an error */
};
struct variable loader_variable(struct loader *loader, const char *name);
/* A small file's text without its line end. False with *ret_reason set to a text that lives as long as the process. */
#define VALUE_FILE_LIMIT (64 * 1024)
bool loader_slurp_value(struct loader *loader, const char *path, bp_str *ret_text, const char **ret_reason);

/* The steps, in their order. */
bool loader_read(struct loader *loader, const char *file, struct config_place from, unsigned depth);
void loader_filter(struct loader *loader);
void loader_sets(struct loader *loader);
void loader_substitute(struct loader *loader);
void loader_server(struct loader *loader);
void loader_plugins(struct loader *loader);
void loader_pipelines(struct loader *loader);
void loader_routes(struct loader *loader);
void loader_retired(struct loader *loader);

/* Reports a pipeline that is not there. */
void loader_pipeline_reference(struct loader *loader, const struct config_setting *setting, const char *path);
/* One text with ${…} in it. False after reporting what is wrong. */
bool substitute(struct loader *loader, struct config_setting *setting, const char *path);

#endif
