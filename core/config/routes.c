/* SPDX-License-Identifier: MIT */
/* routes: ( … ) into struct config_route. */
#include "core/config/loader.h"
#include "core/schema/schema.h"

struct route_text {
    bp_str match, pipeline, listener;
    bp_str when, unless;
};

const struct bp_field config_route_rows[] = {
    BP_TEXT(struct route_text, match, .flags = BP_REQUIRED, .example = "/api/v1/*",
            .doc = "A path, or with \"/*\" at its end everything below it; the first entry that matches counts."),
    BP_TEXT(struct route_text, pipeline, .flags = BP_REQUIRED, .example = "api",
            .doc = "The pipeline that requests for these paths run through."),
    BP_TEXT(
        struct route_text, listener, .example = "metrics",
        .doc = "The `name` of the `server.listen` entries that these paths are served on, there alone; while `when` or "
               "`unless` leaves those out, and without this setting, on every entry without a name."),
    BP_TEXT(struct route_text, when,
            .doc = "Keeps the entry only while this environment variable, or one of several with a space between them, "
                   "is set and not empty."),
    BP_TEXT(struct route_text, unless,
            .doc = "Drops the entry while this environment variable, or one of several, is set and not empty."),
    BP_END};

static const char *match_problem(bp_str match)
{
    const char *star = match.len > 0 ? memchr(match.ptr, '*', match.len) : NULL;
    if (match.len == 0 || match.ptr[0] != '/')
        return "must begin with \"/\"";
    if (star && (star != match.ptr + match.len - 1 || star[-1] != '/'))
        return "may have a \"*\" only at its end, after a \"/\"";
    for (size_t i = 0; i < match.len; i++)
        if ((unsigned char)match.ptr[i] <= ' ' || match.ptr[i] == '?' || match.ptr[i] == '#' || match.ptr[i] == 0x7f)
            return "must be a path: no space, \"?\" or \"#\"";
    return NULL;
}

static bool is_text(const struct config_setting *setting)
{
    return setting && setting->kind == CONFIG_TEXT && !setting->missing_environment;
}

static void unknown_listener(struct loader *loader, const struct config_setting *setting, const char *path)
{
    const struct config_server *server = &loader->config->server;
    const struct config_listen *listens = server->listen.ptr;
    const char **names = loader_alloc(loader, server->listen.len + loader->left_out_count, sizeof(*names));
    size_t count = 0;
    if (!names || loader->incomplete)
        return;
    for (size_t i = 0; i < server->listen.len; i++)
        if (listens[i].name)
            names[count++] = listens[i].name;
    for (size_t i = 0; i < loader->left_out_count; i++)
        if (loader->left_out[i].kind == LEFT_OUT_LISTENER && loader->left_out[i].name.len > 0)
            names[count++] = loader->left_out[i].name.ptr;
    loader_error(loader, setting->place, path,
                 "unknown listener \"%" BP_STR_FMT "\": no entry of server.listen has that name%s",
                 BP_STR_ARG(setting->text),
                 config_suggestion(count > 0 ? nearest_name(setting->text, names, count) : NULL).text);
}

/* NULL: on those without a name. */
static const char *find_listener(struct loader *loader, const struct config_setting *setting, const char *path)
{
    const char *name = config_listener_name(&loader->config->server, setting->text);
    if (name)
        return name;
    for (size_t i = 0; i < loader->left_out_count; i++)
        if (loader->left_out[i].kind == LEFT_OUT_LISTENER && bp_str_eq(loader->left_out[i].name, setting->text))
            return NULL;
    unknown_listener(loader, setting, path);
    return NULL;
}

static bool some_unnamed(const struct config_server *server)
{
    const struct config_listen *listens = server->listen.ptr;
    for (size_t i = 0; i < server->listen.len; i++)
        if (!listens[i].name)
            return true;
    return server->listen.len == 0;
}

static void decode_route(struct loader *loader, const struct config_setting *setting, size_t index)
{
    struct config *config = loader->config;
    struct route_text text = {0};
    char path[CONFIG_PATH_MAX], item_path[CONFIG_PATH_MAX];
    config_path(path, "routes[%zu]", index);
    config_decode_group(setting, config_route_rows, path, loader->arena, &text, loader->report);
    const struct config_setting *match = config_get(setting, "match"), *pipeline = config_get(setting, "pipeline");
    const struct config_setting *listener = config_get(setting, "listener");
    const char *served_on = NULL;
    const char *problem = is_text(match) && text.match.ptr ? match_problem(text.match) : NULL;
    if (problem) {
        config_path(item_path, "routes[%zu].match", index);
        loader_error(loader, match->place, item_path, "\"%" BP_STR_FMT "\" %s", BP_STR_ARG(text.match), problem);
    }
    if (is_text(pipeline)) {
        config_path(item_path, "routes[%zu].pipeline", index);
        loader_pipeline_reference(loader, pipeline, item_path);
    }
    if (is_text(listener)) {
        config_path(item_path, "routes[%zu].listener", index);
        served_on = find_listener(loader, listener, item_path);
    }
    if (!served_on && !some_unnamed(&config->server))
        loader_error(loader, setting->place, path, "is served nowhere: every entry of server.listen has a name");
    if (!is_text(match) || !text.match.ptr || !is_text(pipeline))
        return;
    for (size_t i = 0; i < config->route_count; i++)
        if (bp_str_is(text.match, config->routes[i].match)) {
            loader_error(loader, setting->place, path, "\"%" BP_STR_FMT "\" is matched already, at %s:%u",
                         BP_STR_ARG(text.match), config->routes[i].place.file, config->routes[i].place.line);
            return;
        }
    config->routes[config->route_count++] = (struct config_route){
        .match = text.match.ptr, .pipeline = text.pipeline.ptr, .listener = served_on, .place = setting->place};
}

void loader_routes(struct loader *loader)
{
    loader->config->routes = loader_alloc(loader, loader->routes.item_count, sizeof(*loader->config->routes));
    for (size_t i = 0; loader->config->routes && i < loader->routes.item_count && !loader->no_memory; i++)
        decode_route(loader, &loader->routes.items[i], i);
}
