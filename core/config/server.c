/* SPDX-License-Identifier: MIT */
/* server: { … } into struct config_server. */
#include "core/config/listen.h"
#include "core/config/loader.h"

/* One entry; setting NULL: none was written. */
static void finish_listen(struct loader *loader, const struct config_setting *setting, size_t index,
                          const struct listen_text *text, struct config_listen *listen)
{
    struct config_place place = setting ? setting->place : (struct config_place){0};
    char path[CONFIG_PATH_MAX];
    *listen = (struct config_listen){.address = text->address, .backlog = text->backlog};
    const struct config_setting *address = config_get(setting, "address"), *mode = config_get(setting, "mode");
    if (address && text->address.ptr && !address->missing_environment) {
        const char *problem = listen_address_problem(text->address);
        config_path(path, "server.listen[%zu].address", index);
        if (problem)
            loader_error(loader, address->place, path, "\"%" BP_STR_FMT "\" %s", BP_STR_ARG(text->address), problem);
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

void loader_server(struct loader *loader)
{
    struct config_server *server = &loader->config->server;
    config_decode_group(&loader->server, config_server_rows, "server", loader->arena, server, loader->report);
    if (!loader->no_memory)
        finish_listens(loader, server);
    const struct config_setting *head = config_get(&loader->server, "max_head");
    if (!head)
        head = config_get(&loader->server, "max_field");
    if (head && server->max_head != 0 && server->max_field > server->max_head)
        loader_error(loader, head->place, "server.max_field", "is larger than server.max_head, %llu bytes",
                     (unsigned long long)server->max_head);
}
