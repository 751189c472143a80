/* SPDX-License-Identifier: MIT */
/* From a description to what its handlers use: derived field tables and statements. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "backplane/status.h"
#include "core/http/request.h"
#include "core/resource/attach.h"
#include "core/resource/list.h"
#include "core/resource/move.h"
#include "core/resource/resource.h"
#include "core/resource/statements.h"
#include "core/schema/schema.h"

/* Field tables and statements are known by their addresses for as long as the process lives. */
static struct resource *kept;

static int find_member(const struct resource *resource, const char *name)
{
    for (unsigned i = 0; name && i < resource->count; i++)
        if (strcmp(resource->members[i].row->name, name) == 0)
            return (int)i;
    return -1;
}

int resource_member_json(const struct resource *resource, bp_str json)
{
    for (unsigned i = 0; i < resource->count; i++)
        if (bp_str_is(json, resource->members[i].json))
            return (int)i;
    return -1;
}

static bool is_moment(const struct member *member)
{
    return member->row->type == BP_TYPE_DATE && !member->writable && member->row->flags & BP_NULLABLE;
}

/* NULL, or what is wrong. */
static const char *read_members(struct resource *resource)
{
    const struct bp_resource *definition = resource->definition;
    const struct bp_field *rows = definition->fields;
    const char *wrong = rows ? schema_check(rows) : "has no fields";
    if (wrong)
        return wrong;
    if (rows[0].type != BP_TYPE_PRESENCE)
        return "its fields must begin with BP_PRESENCE";
    resource->body_set = rows[0].offset;
    resource->body_null = rows[0].item_size;
    for (const struct bp_field *row = rows + 1; row->type != BP_TYPE_END; row++) {
        if (resource->count == RESOURCE_FIELDS)
            return "it has more than 48 fields";
        struct member *member = &resource->members[resource->count];
        member->row = row;
        member->json = schema_json_name(row).ptr;
        member->writable = !(row->flags & BP_READ_ONLY);
        member->body_index = member->insert_when = -1;
        resource->all |= UINT64_C(1) << resource->count++;
    }
    if (resource->count == 0 || resource->members[0].row->type != BP_TYPE_UUID || resource->members[0].writable)
        return "its first field must be the identifier: BP_UUID, BP_READ_ONLY";
    for (const struct bp_resource_computed *c = definition->computed; c && c->size; c++) {
        int index = find_member(resource, c->member);
        if (index < 0 && (c->insert || !c->update))
            return "it computes a member that its fields lack";
        if (index < 0)
            continue;
        resource->members[index].computed = c;
        resource->reads_back |= c->insert != NULL;
        if (!c->insert_when)
            continue;
        int when = find_member(resource, c->insert_when);
        if (c->insert || when < 0 || resource->members[when].row->type != BP_TYPE_BOOL ||
            !is_moment(&resource->members[index]))
            return "insert_when is for a BP_DATE that is BP_READ_ONLY | BP_NULLABLE, without insert, and names a "
                   "BP_BOOL";
        resource->members[index].insert_when = when;
    }
    return NULL;
}

static const char *find_special(struct resource *resource)
{
    const struct bp_resource *definition = resource->definition;
    const struct {
        const char *name;
        int *index;
        uint16_t type;
    } special[] = {{definition->owner, &resource->owner, BP_TYPE_UUID},
                   {definition->version, &resource->version, BP_TYPE_I64},
                   {definition->created, &resource->created, BP_TYPE_DATE},
                   {definition->updated, &resource->updated, BP_TYPE_DATE},
                   {definition->position, &resource->position, BP_TYPE_F64}};
    for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++) {
        *special[i].index = find_member(resource, special[i].name);
        if (!special[i].name)
            continue;
        if (*special[i].index < 0)
            return "owner, version, created, updated and position must name fields";
        const struct bp_field *row = resource->members[*special[i].index].row;
        if (row->type != special[i].type || !(row->flags & BP_READ_ONLY))
            return "owner is BP_UUID, version BP_I64, created and updated BP_DATE, position BP_F64, all BP_READ_ONLY";
    }
    resource->move_into = find_member(resource, definition->move_into);
    if (definition->move_into && (resource->position < 0 || resource->move_into < 0 ||
                                  resource->members[resource->move_into].row->type != BP_TYPE_UUID ||
                                  !resource->members[resource->move_into].writable))
        return "move_into must name a BP_UUID that clients write, and there must be a position";
    return NULL;
}

/* The rows that clients write, behind BP_PRESENCE. */
static struct bp_field *body_rows(struct resource *resource, bool partial)
{
    struct bp_field *rows = calloc(resource->count + 2, sizeof(*rows));
    int at = 1;
    if (!rows)
        return NULL;
    rows[0] = resource->definition->fields[0];
    for (unsigned i = 0; i < resource->count; i++) {
        struct member *member = &resource->members[i];
        if (!member->writable)
            continue;
        rows[at] = *member->row;
        if (partial) {
            rows[at].flags &= (uint16_t)~BP_REQUIRED;
            rows[at].def = NULL;
        }
        member->body_index = at++ - 1;
    }
    return rows;
}

static char *capitalised(const char *text)
{
    char *copy = strdup(text);
    if (copy)
        copy[0] = (char)toupper((unsigned char)copy[0]);
    return copy;
}

static const char *make_texts(struct resource *resource)
{
    const struct bp_resource *definition = resource->definition;
    char *tag = NULL, *invalid = NULL, *read_scope = NULL, *write_scope = NULL;
    if (asprintf(&tag, "%s%s", definition->plural, definition->owner ? ":user:{user}" : "") < 0 ||
        asprintf(&invalid, "Invalid %s ID format", definition->name) < 0 ||
        asprintf(&read_scope, "%s:read", definition->plural) < 0 ||
        asprintf(&write_scope, "%s:write", definition->plural) < 0 ||
        asprintf(&resource->list_message, "%s retrieved successfully", definition->plural) < 0) {
        free(tag);
        free(invalid);
        free(read_scope);
        free(write_scope);
        return "out of memory";
    }
    resource->list_message[0] = (char)toupper((unsigned char)resource->list_message[0]);
    resource->read_tag = tag;
    resource->read_scope = read_scope;
    resource->write_scope = write_scope;
    resource->param_rows[0] = (struct bp_field){.name = "id",
                                                .type = BP_TYPE_UUID,
                                                .flags = BP_REQUIRED,
                                                .offset = offsetof(struct bp_resource_params, id),
                                                .invalid = invalid,
                                                .doc = "The identifier."};
    return NULL;
}

static const char *compile(struct resource *resource)
{
    const char *wrong = read_members(resource);
    if (!wrong)
        wrong = find_special(resource);
    if (wrong)
        return wrong;
    resource->noun = capitalised(resource->definition->name);
    resource->create_rows = body_rows(resource, false);
    resource->update_rows = body_rows(resource, true);
    if (!resource->noun || !resource->create_rows || !resource->update_rows)
        return "out of memory";
    wrong = make_texts(resource);
    if (!wrong)
        wrong = list_compile(resource);
    if (!wrong)
        wrong = statements_compile(resource);
    return wrong || resource->position < 0 ? wrong : move_compile(resource);
}

/* NULL when it is wrong; *ret_wrong says so the first time only. */
static struct resource *find_or_compile(struct bp_host *host, const struct bp_resource *definition,
                                        const char **ret_wrong)
{
    struct resource *resource = host->assembly->resources;
    while (resource && (resource->host != host || resource->definition != definition))
        resource = resource->next;
    if (resource)
        return resource->broken ? NULL : resource;
    resource = calloc(1, sizeof(*resource));
    if (!resource) {
        *ret_wrong = "out of memory";
        return NULL;
    }
    resource->kept = kept;
    kept = resource;
    resource->definition = definition;
    resource->host = host;
    *ret_wrong = compile(resource);
    resource->broken = *ret_wrong != NULL;
    resource->next = host->assembly->resources;
    host->assembly->resources = resource;
    return resource->broken ? NULL : resource;
}

static const struct {
    bp_handler *handler;
    const char *verb, *doc;
    bool has_body, partial, moves;
} kinds[] = {
    {.handler = bp_resource_list, .verb = "list", .doc = "A page of them, newest first unless sorted otherwise."},
    {.handler = bp_resource_create, .verb = "create", .doc = "Adds one.", .has_body = true},
    {.handler = bp_resource_bulk,
     .verb = "bulk",
     .doc = "Several creations, updates and deletions at once, each with a status of its own."},
    {.handler = bp_resource_get, .verb = "get", .doc = "One of them."},
    {.handler = bp_resource_update,
     .verb = "update",
     .doc = "Changes the members that are given.",
     .has_body = true,
     .partial = true},
    {.handler = bp_resource_replace, .verb = "replace", .doc = "Replaces every member.", .has_body = true},
    {.handler = bp_resource_delete, .verb = "delete", .doc = "Removes it."},
    {.handler = bp_resource_move,
     .verb = "move",
     .doc = "Gives it another place in the order.",
     .has_body = true,
     .moves = true},
};

int resource_attach(struct bp_host *host, struct endpoint *endpoint)
{
    struct bp_route *route = &endpoint->route;
    const char *wrong = NULL;
    if (!route->resource)
        return 0;
    struct resource *resource = find_or_compile(host, route->resource, &wrong);
    if (!resource) {
        if (wrong)
            report_error(host->assembly->report, host->config->place.file, host->config->place.line, NULL,
                         "resource \"%s\" of plugin %s: %s", route->resource->name, host->plugin.name, wrong);
        host->wrong = true;
        return 0;
    }
    endpoint->resource = resource;
    if (!route->scope)
        route->scope = route->method == BP_GET ? resource->read_scope : resource->write_scope;
    if (!route->params && strstr(route->path, "/{id}")) {
        route->params = resource->param_rows;
        route->params_size = sizeof(struct bp_resource_params);
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (kinds[i].handler != route->handler)
            continue;
        if (!route->name)
            route->name = bp_arena_printf(host->assembly->arena, "%s.%s", route->resource->plural, kinds[i].verb).ptr;
        route->doc = route->doc ? route->doc : kinds[i].doc;
        if (kinds[i].has_body && !route->body)
            route->body = kinds[i].moves     ? resource->move_rows
                          : kinds[i].partial ? resource->update_rows
                                             : resource->create_rows;
        if (kinds[i].moves && !resource->move_rows) {
            report_error(host->assembly->report, host->config->place.file, host->config->place.line, NULL,
                         "route %s of plugin %s: its resource has no position", route->path, host->plugin.name);
            host->wrong = true;
        }
        if (!route->reply && route->handler != bp_resource_delete)
            route->reply = route->handler == bp_resource_list ? resource->page_rows : resource->definition->fields;
        if (route->method == BP_GET && !route->cache_tag)
            route->cache_tag = resource->read_tag;
        if (route->handler == bp_resource_list && !route->query) {
            route->query = resource->query_rows;
            route->query_size = resource->query_size;
        }
    }
    return 0;
}

struct resource *resource_of(const struct bp_request *rq)
{
    return rq->endpoint->resource;
}

struct bp_service resource_db(const struct resource *resource)
{
    struct bp_service db;
    memcpy(&db, (const char *)resource->host->self + resource->definition->db, sizeof(db));
    return db;
}
