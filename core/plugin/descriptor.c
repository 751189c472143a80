/* SPDX-License-Identifier: MIT */
#include "core/plugin/descriptor.h"

#include "backplane/arena.h"
#include "backplane/iface/database.h"
#include "core/schema/schema.h"

/* An older provider's vtable is read by newer consumers: behind its end they must see NULLs. */
#define VTABLE_ROOM 1024u

static bool check_header(const struct bp_plugin *from, const char *file_name, struct buffer *why)
{
    if (from->magic != BP_ABI_MAGIC)
        buffer_printf(why, "magic is 0x%08x, this server's is 0x%08x", from->magic, BP_ABI_MAGIC);
    else if (from->abi_major != BP_ABI_MAJOR)
        buffer_printf(why, "abi_major is %u, this server's is %u", from->abi_major, BP_ABI_MAJOR);
    else if (from->abi_minor > BP_ABI_MINOR)
        buffer_printf(why, "abi_minor is %u, this server's is %u: it was built for a newer server", from->abi_minor,
                      BP_ABI_MINOR);
    else if (from->size > sizeof(struct bp_plugin) || from->size < offsetof(struct bp_plugin, spare))
        buffer_printf(why, "size is %u, this server's is %zu", from->size, sizeof(struct bp_plugin));
    else if (!from->name || strcmp(from->name, file_name) != 0)
        buffer_printf(why, "name is \"%s\", the file's is \"%s\"", from->name ? from->name : "", file_name);
    else
        return true;
    return false;
}

/* All row structs begin with their size, and so does the row that ends a table: 0. */
static uint32_t row_size(const void *row)
{
    uint32_t size;
    memcpy(&size, row, sizeof(size));
    return size;
}

/* The rows with a stride of the first one's size; *ret_rows NULL without a table. */
static bool copy_rows(const char *table, const void *rows, size_t our_size, struct bp_arena *arena,
                      const void **ret_rows, struct buffer *why)
{
    uint32_t stride = rows ? row_size(rows) : 0;
    size_t count = 0;
    *ret_rows = NULL;
    if (stride == 0)
        return true;
    if (stride > our_size || stride % sizeof(void *) != 0) {
        buffer_printf(why, "size of %s[0] is %u, this server's is %zu", table, stride, our_size);
        return false;
    }
    for (const char *row = rows; row_size(row) != 0; row += stride, count++)
        if (row_size(row) != stride) {
            buffer_printf(why, "size of %s[%zu] is %u, that of %s[0] is %u", table, count, row_size(row), table,
                          stride);
            return false;
        }
    char *copy = bp_arena_array(arena, count + 1, our_size);
    if (!copy) {
        buffer_printf(why, "out of memory");
        return false;
    }
    for (size_t i = 0; i < count; i++)
        memcpy(copy + i * our_size, (const char *)rows + i * stride, stride);
    *ret_rows = copy;
    return true;
}

bool descriptor_is_core_key(const char *name)
{
    static const char *const keys[] = {"use", "name", "as", "locked", "optional", "when", "unless"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (strcmp(keys[i], name) == 0)
            return true;
    return false;
}

static size_t member_size(const struct bp_field *row)
{
    switch ((enum bp_type)row->type) {
    case BP_TYPE_BOOL:
        return sizeof(bool);
    case BP_TYPE_U32:
    case BP_TYPE_CHOICE:
        return sizeof(uint32_t);
    case BP_TYPE_TEXT:
        return sizeof(bp_str);
    case BP_TYPE_UUID:
        return sizeof(bp_uuid);
    case BP_TYPE_ARRAY:
        return sizeof(struct bp_array);
    case BP_TYPE_I64:
    case BP_TYPE_F64:
    case BP_TYPE_SPAN:
    case BP_TYPE_SIZE:
    case BP_TYPE_DATE:
    case BP_TYPE_PRESENCE:
        return sizeof(uint64_t);
    case BP_TYPE_END:
    case BP_TYPE_OBJECT:
        break;
    }
    return 0;
}

static bool check_options(const struct bp_plugin *plugin, struct buffer *why)
{
    const char *wrong = plugin->options ? schema_check(plugin->options) : NULL;
    if (wrong) {
        buffer_printf(why, "options: %s", wrong);
        return false;
    }
    for (const struct bp_field *row = plugin->options; row && row->type != BP_TYPE_END; row++) {
        bool stage = row->flags & BP_STAGE;
        uint32_t room = stage ? plugin->stage_size : plugin->self_size;
        if (descriptor_is_core_key(row->name))
            buffer_printf(why, "options: \"%s\" is a key of the core", row->name);
        else if (row->offset + member_size(row) > room)
            buffer_printf(why, "options: \"%s\" ends at byte %zu, but %s is %u", row->name,
                          row->offset + member_size(row), stage ? "stage_size" : "self_size", room);
        else if (stage && !plugin->middleware)
            buffer_printf(why, "options: \"%s\" is a stage's, but there is no middleware", row->name);
        else
            continue;
        return false;
    }
    return true;
}

/* What is wrong with the metrics themselves is said when they are made. */
static bool check_metrics(const struct bp_plugin *plugin, struct buffer *why)
{
    for (const struct bp_metric_row *row = plugin->metrics; row && row->size; row++)
        if (row->offset + sizeof(struct bp_metric *) > plugin->self_size) {
            buffer_printf(why, "metrics[%zu]: its member ends at byte %zu, but self_size is %u",
                          (size_t)(row - plugin->metrics), row->offset + sizeof(struct bp_metric *), plugin->self_size);
            return false;
        }
    return true;
}

const char *descriptor_need_key(const struct bp_need *need)
{
    return need->key ? need->key : need->interface;
}

/* Of an entry, they would be one setting. */
static const struct bp_need *need_before(const struct bp_plugin *plugin, const struct bp_need *need)
{
    for (const struct bp_need *other = plugin->needs; other < need; other++)
        if (strcmp(descriptor_need_key(other), descriptor_need_key(need)) == 0)
            return other;
    return NULL;
}

static bool check_needs(const struct bp_plugin *plugin, struct buffer *why)
{
    for (const struct bp_need *need = plugin->needs; need && need->size; need++) {
        if (!need->interface)
            buffer_printf(why, "needs[%zu] has no interface", (size_t)(need - plugin->needs));
        else if (need->offset + sizeof(struct bp_service) > plugin->self_size)
            buffer_printf(why, "needs \"%s\": its member ends at byte %zu, but self_size is %u", need->interface,
                          need->offset + sizeof(struct bp_service), plugin->self_size);
        else if (plugin->options && schema_find(plugin->options, bp_str_of(descriptor_need_key(need))))
            buffer_printf(why, "options: \"%s\" is also the name of a service it needs", descriptor_need_key(need));
        else if (descriptor_is_core_key(descriptor_need_key(need)))
            buffer_printf(why, "needs[%zu]: \"%s\" is a key of the core", (size_t)(need - plugin->needs),
                          descriptor_need_key(need));
        else if (need_before(plugin, need))
            buffer_printf(why, "needs[%zu]: \"%s\" is the key of needs[%zu], too; give it another (.key)",
                          (size_t)(need - plugin->needs), descriptor_need_key(need),
                          (size_t)(need_before(plugin, need) - plugin->needs));
        else
            continue;
        return false;
    }
    return true;
}

static bool copy_vtables(struct bp_provide *provides, struct bp_arena *arena, struct buffer *why)
{
    for (struct bp_provide *provide = provides; provide && provide->size; provide++) {
        if (!provide->interface || !provide->vtable || row_size(provide->vtable) < sizeof(uint32_t)) {
            buffer_printf(why, "provides[%zu] has no %s", (size_t)(provide - provides),
                          provide->interface ? "vtable" : "interface");
            return false;
        }
        size_t size = row_size(provide->vtable);
        void *copy = bp_arena_alloc(arena, size > VTABLE_ROOM ? size : VTABLE_ROOM);
        if (!copy) {
            buffer_printf(why, "out of memory");
            return false;
        }
        provide->vtable = memcpy(copy, provide->vtable, size);
    }
    return true;
}

static bool check_route_rows(const struct bp_route *route, const char *what, const struct bp_field *rows, bool has_size,
                             struct buffer *why)
{
    const char *wrong = rows ? schema_check(rows) : NULL;
    if (!wrong && rows && !has_size)
        wrong = "the size of the struct they fill is missing";
    if (wrong)
        buffer_printf(why, "%s rows of route \"%s\": %s", what, route->name, wrong);
    return wrong == NULL;
}

static bool check_routes(const struct bp_plugin *plugin, struct buffer *why)
{
    for (const struct bp_route *route = plugin->routes; route && route->size; route++) {
        const char *missing = !route->name && !route->resource                       ? "name"
                              : !route->path                                         ? "path"
                              : !route->handler                                      ? "handler"
                              : route->method < BP_GET || route->method > BP_OPTIONS ? "method"
                                                                                     : NULL;
        if (missing) {
            buffer_printf(why, "routes[%zu] has no %s", (size_t)(route - plugin->routes), missing);
            return false;
        }
        if (!check_route_rows(route, "params", route->params, route->params_size > 0, why) ||
            !check_route_rows(route, "query", route->query, route->query_size > 0, why) ||
            !check_route_rows(route, "body", route->body, true, why) ||
            !check_route_rows(route, "reply", route->reply, true, why))
            return false;
    }
    return true;
}

static bool check_migrations(const struct bp_plugin *plugin, struct buffer *why)
{
    uint32_t version = 1;
    bool has_database = false;
    for (const struct bp_need *need = plugin->needs; need && need->size; need++)
        has_database = has_database || strcmp(need->interface, BP_DATABASE) == 0;
    for (const struct bp_migration *row = plugin->migrations; row && row->size; row++, version++) {
        if (!has_database)
            buffer_printf(why, "it has migrations, but does not need \"" BP_DATABASE "\"");
        else if (row->version != version)
            buffer_printf(why, "migrations[%u] has version %u, expected %u", version - 1, row->version, version);
        else if (!row->name || !row->up)
            buffer_printf(why, "migrations[%u] has no %s", version - 1, row->name ? "up" : "name");
        else
            continue;
        return false;
    }
    return true;
}

static bool check_commands(const struct bp_plugin *plugin, struct buffer *why)
{
    unsigned index = 0;
    for (const struct bp_command *row = plugin->commands; row && row->size; row++, index++)
        if (!row->name || !row->run) {
            buffer_printf(why, "commands[%u] has no %s", index, row->name ? "run" : "name");
            return false;
        }
    return true;
}

bool descriptor_copy(const struct bp_plugin *from, const char *file_name, struct bp_arena *arena,
                     struct bp_plugin *ret_plugin, struct buffer *why)
{
    const void *needs, *provides, *routes, *migrations, *commands, *metrics;
    struct bp_plugin plugin = {0};
    if (!check_header(from, file_name, why))
        return false;
    memcpy(&plugin, from, from->size);
    plugin.size = sizeof(plugin);
    if (!copy_rows("needs", from->needs, sizeof(struct bp_need), arena, &needs, why) ||
        !copy_rows("provides", from->provides, sizeof(struct bp_provide), arena, &provides, why) ||
        !copy_rows("routes", from->routes, sizeof(struct bp_route), arena, &routes, why) ||
        !copy_rows("migrations", from->migrations, sizeof(struct bp_migration), arena, &migrations, why) ||
        !copy_rows("commands", plugin.commands, sizeof(struct bp_command), arena, &commands, why) ||
        !copy_rows("metrics", plugin.metrics, sizeof(struct bp_metric_row), arena, &metrics, why))
        return false;
    plugin.metrics = metrics;
    plugin.needs = needs;
    plugin.provides = provides;
    plugin.routes = routes;
    plugin.migrations = migrations;
    plugin.commands = commands;
    if (plugin.phase > BP_PHASE_HANDLE) {
        buffer_printf(why, "phase is %u, this server's last is %u", plugin.phase, BP_PHASE_HANDLE);
        return false;
    }
    if (!check_options(&plugin, why) || !check_needs(&plugin, why) || !check_metrics(&plugin, why) ||
        !copy_vtables((struct bp_provide *)(uintptr_t)provides, arena, why) || !check_routes(&plugin, why) ||
        !check_migrations(&plugin, why) || !check_commands(&plugin, why))
        return false;
    *ret_plugin = plugin;
    return true;
}

bool descriptor_add(struct bp_plugin *plugin, const struct bp_plugin *added, struct bp_arena *arena, struct buffer *why)
{
    const void *routes, *migrations;
    struct bp_plugin changed = *plugin;
    if (!copy_rows("routes", added->routes, sizeof(struct bp_route), arena, &routes, why) ||
        !copy_rows("migrations", added->migrations, sizeof(struct bp_migration), arena, &migrations, why))
        return false;
    if ((routes && plugin->routes) || (migrations && plugin->migrations)) {
        buffer_printf(why, "it has %s, to which none can be added", routes ? "routes" : "migrations");
        return false;
    }
    changed.routes = routes ? routes : plugin->routes;
    changed.migrations = migrations ? migrations : plugin->migrations;
    if (!check_routes(&changed, why) || !check_migrations(&changed, why))
        return false;
    *plugin = changed;
    return true;
}
