/* SPDX-License-Identifier: MIT */
/* ${NAME}, ${NAME:-default}, ${file:/path} and $$ in every text. */
#include "core/config/source.h"

#include <stdio.h>

#define DEFAULT_DEPTH_MAX 4

struct substitution {
    struct loader *loader;
    struct config_setting *setting;
    const char *path;
    struct buffer out;
    bool fine;
};

#define complain(s, ...) ((s)->fine = false, loader_error((s)->loader, (s)->setting->place, (s)->path, __VA_ARGS__))

static void expand(struct substitution *s, bp_str text, unsigned depth);

/* Names whose values are nobody's business. */
static bool names_secret(const char *name)
{
    static const char *const parts[] = {"SECRET", "TOKEN", "PASSWORD", "KEY"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (strcasestr(name, parts[i]))
            return true;
    return false;
}

static size_t variable_length(bp_str text)
{
    size_t len = 0;
    while (len < text.len) {
        char c = text.ptr[len];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (len > 0 && c >= '0' && c <= '9')))
            break;
        len++;
    }
    return len;
}

static void expand_file(struct substitution *s, bp_str name)
{
    const char *path = loader_path(s->loader, s->setting->place.file, name), *reason = NULL;
    bp_str text;
    if (!path)
        return;
    if (name.len == 0)
        complain(s, "${file:} names no file");
    else if (!loader_slurp_value(s->loader, path, &text, &reason))
        complain(s, "cannot read \"%s\": %s", path, reason);
    else
        buffer_add(&s->out, text);
    s->setting->from_secret = true;
}

static void expand_variable(struct substitution *s, bp_str inside, unsigned depth)
{
    size_t len = variable_length(inside);
    bp_str rest = bp_str_n(inside.ptr + len, inside.len - len);
    if (len == 0 || (rest.len > 0 && !bp_str_starts(rest, BP_STR(":-")))) {
        complain(s, "\"${%" BP_STR_FMT "}\" must be ${NAME}, ${NAME:-default} or ${file:/path}", BP_STR_ARG(inside));
        return;
    }
    bp_str name = loader_copy(s->loader, bp_str_n(inside.ptr, len));
    if (!name.ptr)
        return;
    const struct variable variable = loader_variable(s->loader, name.ptr);
    if (names_secret(name.ptr) || variable.file)
        s->setting->from_secret = true;
    s->setting->from_environment = true;
    if (variable.twice) {
        complain(s, "%s and %s_FILE are both set", name.ptr, name.ptr);
    } else if (variable.problem) {
        complain(s, "cannot read \"%s\", which %s_FILE names: %s", variable.file, name.ptr, variable.problem);
    } else if (variable.text.ptr && (variable.text.len > 0 || rest.len == 0)) {
        buffer_add(&s->out, variable.text);
    } else if (rest.len > 0) {
        expand(s, bp_str_n(rest.ptr + 2, rest.len - 2), depth + 1);
    } else {
        s->setting->missing_environment = true;
        buffer_printf(&s->out, "${%s}", name.ptr);
        if (!s->loader->options->lenient_environment)
            complain(s, "environment variable %s is not set", name.ptr);
    }
}

/* The length up to the brace that closes what text begins with; text.len when there is none. */
static size_t closing(bp_str text)
{
    size_t depth = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '$' && i + 1 < text.len && text.ptr[i + 1] == '{') {
            depth++;
            i++;
        } else if (text.ptr[i] == '}' && depth-- == 0) {
            return i;
        }
    }
    return text.len;
}

static void expand(struct substitution *s, bp_str text, unsigned depth)
{
    if (depth > DEFAULT_DEPTH_MAX) {
        complain(s, "defaults nest more than %d deep", DEFAULT_DEPTH_MAX);
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        char next = i + 1 < text.len ? text.ptr[i + 1] : '\0';
        if (text.ptr[i] != '$') {
            buffer_add_char(&s->out, text.ptr[i]);
        } else if (next == '$') {
            buffer_add_char(&s->out, '$');
            i++;
        } else if (next == '{') {
            bp_str inside = bp_str_n(text.ptr + i + 2, text.len - i - 2);
            size_t len = closing(inside);
            if (len == inside.len) {
                complain(s, "\"${\" without \"}\"");
                return;
            }
            inside.len = len;
            if (bp_str_starts(inside, BP_STR("file:")))
                expand_file(s, bp_str_n(inside.ptr + 5, inside.len - 5));
            else
                expand_variable(s, inside, depth);
            i += len + 2;
        } else {
            complain(s, "a single \"$\": write \"$$\" for a dollar sign, or ${NAME}");
        }
    }
}

bool substitute(struct loader *loader, struct config_setting *setting, const char *path)
{
    if (setting->missing_environment)
        return false; /* reported before */
    if (!memchr(setting->text.ptr, '$', setting->text.len))
        return true;
    struct substitution s = {.loader = loader, .setting = setting, .path = path, .fine = true};
    expand(&s, setting->text, 0);
    if (s.out.failed)
        loader->no_memory = true;
    /* What could not be substituted was reported; that it also breaks a rule is not worth another line. */
    if (!s.fine)
        setting->missing_environment = true;
    else
        setting->text = loader_copy(loader, bp_str_n(s.out.ptr ? s.out.ptr : "", s.out.len));
    buffer_deinit(&s.out);
    return s.fine && !loader->no_memory;
}

/* Recursion: CONFIG_DEPTH_MAX at most. path has room for what is appended at len. */
static void walk(struct loader *loader, struct config_setting *setting, char path[CONFIG_PATH_MAX], size_t len)
{
    if (setting->kind == CONFIG_TEXT)
        substitute(loader, setting, path);
    if (setting->kind != CONFIG_GROUP && setting->kind != CONFIG_LIST)
        return;
    for (size_t i = 0; i < setting->item_count && !loader->no_memory; i++) {
        struct config_setting *item = &setting->items[i];
        bp_str instance = setting == &loader->plugins ? config_instance_name(item) : BP_STR("");
        int added;
        if (item->name)
            added = snprintf(path + len, CONFIG_PATH_MAX - len, "%s%s", len ? "." : "", item->name);
        else if (config_name_valid(instance))
            added = snprintf(path + len, CONFIG_PATH_MAX - len, ".%" BP_STR_FMT, BP_STR_ARG(instance));
        else
            added = snprintf(path + len, CONFIG_PATH_MAX - len, "[%zu]", i);
        size_t next = len + (added < 0 ? 0 : (size_t)added);
        walk(loader, item, path, next < CONFIG_PATH_MAX ? next : CONFIG_PATH_MAX - 1);
        path[len] = '\0';
    }
}

void loader_substitute(struct loader *loader)
{
    struct config_setting *sections[] = {&loader->server, &loader->plugins, &loader->pipelines, &loader->routes};
    for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
        char path[CONFIG_PATH_MAX];
        config_path(path, "%s", sections[i]->name);
        walk(loader, sections[i], path, strlen(path));
    }
}
