/* SPDX-License-Identifier: MIT */
/* server: { … } into struct config_server. */
#include "backplane/network.h"
#include "core/config/listen.h"
#include "core/config/loader.h"

/* One entry; setting NULL: none was written. */
static void finish_listen(struct loader *loader, const struct config_setting *setting, size_t index,
                          const struct listen_text *text, struct config_listen *listen)
{
    struct config_place place = setting ? setting->place : (struct config_place){0};
    char path[CONFIG_PATH_MAX];
    *listen = (struct config_listen){
        .address = text->address, .backlog = text->backlog, .proxy_protocol = text->proxy_protocol};
    const struct config_setting *address = config_get(setting, "address"), *mode = config_get(setting, "mode");
    const struct config_setting *name = config_get(setting, "name");
    if (address && text->address.ptr && !address->missing_environment) {
        const char *problem = listen_address_problem(text->address);
        config_path(path, "server.listen[%zu].address", index);
        if (problem)
            loader_error(loader, address->place, path, "\"%" BP_STR_FMT "\" %s", BP_STR_ARG(text->address), problem);
    }
    listen->name = text->name.ptr;
    if (name && text->name.ptr && !name->missing_environment && !config_name_valid(text->name)) {
        config_path(path, "server.listen[%zu].name", index);
        loader_error(loader, name->place, path,
                     "\"%" BP_STR_FMT "\" is no name: letters, digits, \"_\" and \"-\", a letter first",
                     BP_STR_ARG(text->name));
    }
    if (text->mode.ptr && !listen_mode_parse(text->mode, &listen->unix_mode)) {
        config_path(path, "server.listen[%zu].mode", index);
        loader_error(loader, mode ? mode->place : place, path, "must be octal digits in quotes, as in \"0660\"");
    }
}

static void finish_listens(struct loader *loader, struct config_server *server)
{
    static const struct config_listen standard = {
        .address = BP_STR_INIT("127.0.0.1:3000"), .backlog = 1024, .unix_mode = 0660};
    const struct config_setting *setting = config_get(&loader->server, "listen");
    size_t count = setting ? server->listen.len : 1;
    struct config_listen *listens = loader_alloc(loader, count, sizeof(*listens));
    if (!listens)
        return;
    if (setting) {
        const struct listen_text *texts = server->listen.ptr;
        for (size_t i = 0; i < count; i++) {
            finish_listen(loader, &setting->items[i], i, &texts[i], &listens[i]);
            for (size_t j = 0; j < i; j++)
                if (listens[i].address.len > 0 && bp_str_eq(listens[i].address, listens[j].address))
                    loader_error(loader, setting->items[i].place, "server.listen",
                                 "\"%" BP_STR_FMT "\" is listed twice", BP_STR_ARG(listens[i].address));
        }
    } else {
        listens[0] = standard;
    }
    server->listen = (struct bp_array){listens, count};
}

static void add_network(struct loader *loader, const struct config_setting *setting, size_t index, bp_str text,
                        struct bp_array *networks, size_t *cap)
{
    struct bp_network network, *items = loader_grow(loader, networks->ptr, networks->len, cap, sizeof(*items));
    char path[CONFIG_PATH_MAX];
    if (!items)
        return;
    networks->ptr = items;
    const char *problem = bp_network_parse(text, &network);
    if (!problem) {
        items[networks->len++] = network;
        return;
    }
    config_path(path, "server.trusted_proxies[%zu]", index);
    loader_error(loader, setting->place, path, "\"%" BP_STR_FMT "\" %s", BP_STR_ARG(text), problem);
}

/* One text may hold several, or none: it may be a variable's. */
static void finish_proxies(struct loader *loader, struct config_server *server)
{
    const struct config_setting *setting = config_get(&loader->server, "trusted_proxies");
    const bp_str *texts = server->trusted_proxies.ptr;
    struct bp_array networks = {0};
    size_t cap = 0;
    for (size_t i = 0; setting && i < server->trusted_proxies.len; i++) {
        bp_str rest = setting->items[i].missing_environment ? BP_STR("") : texts[i], text;
        while (bp_str_next(&rest, ',', &text))
            if (bp_str_trim(text).len > 0)
                add_network(loader, &setting->items[i], i, bp_str_trim(text), &networks, &cap);
    }
    server->trusted_proxies = networks;
}

/* Nobody could connect. */
static void check_proxy_protocol(struct loader *loader, const struct config_server *server)
{
    const struct config_setting *setting = config_get(&loader->server, "listen");
    const struct config_listen *listens = server->listen.ptr;
    char path[CONFIG_PATH_MAX];
    for (size_t i = 0; setting && i < server->listen.len; i++) {
        config_path(path, "server.listen[%zu].proxy_protocol", i);
        if (listens[i].proxy_protocol && server->trusted_proxies.len == 0)
            loader_error(loader, config_get(&setting->items[i], "proxy_protocol")->place, path,
                         "needs server.trusted_proxies: the header is believed from them only");
    }
}

const char *config_listener_name(const struct config_server *server, bp_str name)
{
    const struct config_listen *listens = server->listen.ptr;
    for (size_t i = 0; i < server->listen.len; i++)
        if (listens[i].name && bp_str_is(name, listens[i].name))
            return listens[i].name;
    return NULL;
}

void loader_server(struct loader *loader)
{
    struct config_server *server = &loader->config->server;
    config_decode_group(&loader->server, config_server_rows, "server", loader->arena, server, loader->report);
    if (!loader->no_memory) {
        finish_listens(loader, server);
        finish_proxies(loader, server);
        check_proxy_protocol(loader, server);
    }
    const struct config_setting *head = config_get(&loader->server, "max_head");
    if (!head)
        head = config_get(&loader->server, "max_field");
    if (head && server->max_head != 0 && server->max_field > server->max_head)
        loader_error(loader, head->place, "server.max_field", "is larger than server.max_head, %llu bytes",
                     (unsigned long long)server->max_head);
}
