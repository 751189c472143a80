/* SPDX-License-Identifier: MIT */
#include "core/plugin/services.h"

#include "backplane/arena.h"
#include "backplane/status.h"
#include "core/plugin/descriptor.h"
#include "core/schema/schema.h"

static const struct bp_provide *find_provide(const struct bp_host *host, const char *interface)
{
    for (const struct bp_provide *provide = host->plugin.provides; provide && provide->size; provide++)
        if (strcmp(provide->interface, interface) == 0)
            return provide;
    return NULL;
}

static void report_host(struct bp_host *host, const char *option, bp_str text)
{
    const struct config_setting *setting = option ? config_get(host->config->setting, option) : NULL;
    struct config_place place = setting ? setting->place : host->config->place;
    const char *path = bp_arena_printf(host->assembly->arena, option ? "plugins.%s.%s" : "plugins.%s", host->name,
                                       option ? option : "")
                           .ptr;
    report_error(host->assembly->report, place.file, place.line, path, "%" BP_STR_FMT, BP_STR_ARG(text));
    host->wrong = true;
}

#define REPORT(host, option, ...) report_host((host), (option), bp_arena_printf((host)->assembly->arena, __VA_ARGS__))

static struct bp_host *find_host(const struct assembly *assembly, bp_str name)
{
    for (size_t i = 0; i < assembly->host_count; i++)
        if (bp_str_eq(assembly->hosts[i]->name_str, name))
            return assembly->hosts[i];
    return NULL;
}

static const char *nearest_host(const struct assembly *assembly, bp_str name)
{
    const char **names = bp_arena_array(assembly->arena, assembly->host_count, sizeof(*names));
    for (size_t i = 0; names && i < assembly->host_count; i++)
        names[i] = assembly->hosts[i]->name;
    return names ? nearest_name(name, names, assembly->host_count) : NULL;
}

/* <key> = "instance" at the entry. */
static struct bp_host *chosen_provider(struct bp_host *host, const struct bp_need *need,
                                       const struct config_setting *choice)
{
    if (choice->kind != CONFIG_TEXT) {
        REPORT(host, descriptor_need_key(need), "expected the name of an instance");
        return NULL;
    }
    struct bp_host *provider = find_host(host->assembly, choice->text);
    const struct bp_provide *provide = provider ? find_provide(provider, need->interface) : NULL;
    if (!provider) {
        const char *nearest = nearest_host(host->assembly, choice->text);
        REPORT(host, descriptor_need_key(need), "no instance is named \"%" BP_STR_FMT "\"%s%s%s",
               BP_STR_ARG(choice->text), nearest ? "; did you mean \"" : "", nearest ? nearest : "",
               nearest ? "\"?" : "");
    } else if (provider == host) {
        REPORT(host, descriptor_need_key(need), "an instance cannot use itself");
    } else if (!provide) {
        REPORT(host, descriptor_need_key(need), "\"%s\" does not provide the service \"%s\"", provider->name,
               need->interface);
    } else if (provide->version != need->version) {
        REPORT(host, descriptor_need_key(need),
               "version %u of the service \"%s\" is needed, \"%s\" provides version %u", need->version, need->interface,
               provider->name, provide->version);
    } else {
        return provider;
    }
    return NULL;
}

static struct bp_host *only_provider(struct bp_host *host, const struct bp_need *need)
{
    const struct assembly *assembly = host->assembly;
    struct bp_host *found = NULL, *other_version = NULL;
    for (size_t i = 0; i < assembly->host_count; i++) {
        struct bp_host *provider = assembly->hosts[i];
        const struct bp_provide *provide = provider == host ? NULL : find_provide(provider, need->interface);
        if (provide && provide->version != need->version) {
            other_version = provider;
        } else if (provide && found) {
            REPORT(host, NULL, "the service \"%s\" is provided by \"%s\" and \"%s\": choose with %s = \"%s\"",
                   need->interface, found->name, provider->name, descriptor_need_key(need), found->name);
            return NULL;
        } else if (provide) {
            found = provider;
        }
    }
    if (found || need->optional)
        return found;
    if (other_version)
        REPORT(host, NULL, "needs version %u of the service \"%s\", \"%s\" provides version %u", need->version,
               need->interface, other_version->name, find_provide(other_version, need->interface)->version);
    else if (assembly->incomplete)
        host->wrong = true;
    else
        REPORT(host, NULL, "needs the service \"%s\", which no instance provides", need->interface);
    return NULL;
}

void services_resolve(struct assembly *assembly)
{
    for (size_t i = 0; i < assembly->host_count; i++) {
        struct bp_host *host = assembly->hosts[i];
        for (size_t n = 0; host->plugin.needs && host->plugin.needs[n].size; n++) {
            const struct bp_need *need = &host->plugin.needs[n];
            const struct config_setting *choice = config_get(host->config->setting, descriptor_need_key(need));
            struct bp_host *provider = choice ? chosen_provider(host, need, choice) : only_provider(host, need);
            if (!provider)
                continue;
            struct bp_service service = {find_provide(provider, need->interface)->vtable, provider->self};
            memcpy((char *)host->self + need->offset, &service, sizeof(service));
            host->providers[n] = provider;
        }
    }
}

enum mark { MARK_NEW, MARK_OPEN, MARK_DONE };

struct sort {
    struct assembly *assembly;
    struct bp_host **sorted;
    size_t sorted_count;
    struct bp_host **path; /* from the first one visited to the one being visited */
    size_t path_len;
    uint8_t *marks; /* enum mark, by place in the configuration */
};

static size_t index_of(const struct sort *sort, const struct bp_host *host)
{
    size_t i = 0;
    while (sort->assembly->hosts[i] != host)
        i++;
    return i;
}

/* path[from] … path[len - 1], and path[from] again: "a -> b -> a" */
static void report_circle(const struct sort *sort, const struct bp_host *again)
{
    struct buffer text = {0};
    size_t from = 0;
    while (sort->path[from] != again)
        from++;
    for (size_t i = from; i < sort->path_len; i++) {
        buffer_printf(&text, "%s -> ", sort->path[i]->name);
        sort->path[i]->wrong = true;
    }
    buffer_printf(&text, "%s", again->name);
    REPORT(sort->path[from], NULL, "needs itself in a circle: %" BP_STR_FMT, BP_STR_ARG(buffer_str(&text)));
    buffer_deinit(&text);
}

/* As deep as the longest chain of services: bounded by the number of instances. */
static void visit(struct sort *sort, struct bp_host *host)
{
    size_t index = index_of(sort, host);
    if (sort->marks[index] == MARK_OPEN)
        report_circle(sort, host);
    if (sort->marks[index] != MARK_NEW)
        return;
    sort->marks[index] = MARK_OPEN;
    sort->path[sort->path_len++] = host;
    for (size_t n = 0; host->plugin.needs && host->plugin.needs[n].size; n++)
        if (host->providers[n])
            visit(sort, host->providers[n]);
    sort->path_len--;
    sort->marks[index] = MARK_DONE;
    sort->sorted[sort->sorted_count++] = host;
}

int services_sort(struct assembly *assembly)
{
    size_t count = assembly->host_count;
    struct sort sort = {
        .assembly = assembly,
        .sorted = bp_arena_array(assembly->arena, count + 1, sizeof(*sort.sorted)),
        .path = bp_arena_array(assembly->arena, count + 1, sizeof(*sort.path)),
        .marks = bp_arena_alloc(assembly->arena, count + 1),
    };
    if (!sort.sorted || !sort.path || !sort.marks)
        return BP_NOMEM;
    for (size_t i = 0; i < count; i++)
        visit(&sort, assembly->hosts[i]);
    assembly->hosts = sort.sorted;
    return 0;
}
