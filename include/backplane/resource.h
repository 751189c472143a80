/* SPDX-License-Identifier: MIT */
/*
 * A resource: rows of one table that clients create, read, change and remove over HTTP. A plugin describes it once, as data, and
 * has validation, paging, filters, sorting, full-text search, ETags, merge patch, JSON Patch, bulk operations, cache
 * tags and its part of the OpenAPI document; on every database.
 *
 *     static const struct bp_resource notes = BP_RESOURCE(
 *         .name = "note", .plural = "notes", .table = "notes", .fields = note_fields, .object_size = sizeof(struct note),
 *         .db = offsetof(struct notes, db), .owner = "user_id", .created = "created_at", .updated = "updated_at",
 *         .version = "version", .sort = "-createdAt");
 *     static const struct bp_route routes[] = {BP_RESOURCE_ROUTES("/api/v1/notes", &notes), BP_ROUTE_END};
 *
 * The struct begins with two uint64_t, its fields with BP_PRESENCE. Every row is a column of the same name and a member of a
 * reply, in this order. Flags of rows: BP_READ_ONLY, BP_FILTER, BP_SORT, beside those of field.h. The first row is the
 * identifier: BP_UUID, BP_READ_ONLY. BP_CHOICE columns hold the name, BP_ARRAY and BP_OBJECT JSON (text; jsonb in Postgres).
 */
#ifndef BACKPLANE_RESOURCE_H
#define BACKPLANE_RESOURCE_H

#include "backplane/route.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A column that clients do not write, a member of a reply or none (then only in update). On insert it is the moment where insert_when, the name of a
 * BP_BOOL member, is true, else NULL; or what the database computes. The latter has to be read back, the former has not. SQL expressions in which "{title}" stands for the value that the member will have,
 * "{now}" for the moment, "{owner}" for whose it is. In update a bare name is what the column held. NULL: the zero of its
 * type or NULL on insert, unchanged on update. Ends with BP_COMPUTED_END. */
struct bp_resource_computed {
    uint32_t size;
    uint32_t spare;
    const char *member;
    const char *insert, *update;
    const char *insert_postgres, *update_postgres; /* where they must differ; NULL: the same */
    const char *insert_when;                       /* of a BP_DATE that is BP_NULLABLE, without insert */
};

/* A query parameter that filters by more than a column: "{value}" is its value, "{owner}" whose. Ends with BP_RESOURCE_FILTER_END. */
struct bp_resource_filter {
    uint32_t size;
    uint32_t type; /* enum bp_type: BOOL I64 TEXT UUID DATE */
    const char *name;
    const char *doc;
    const char *sql, *sql_postgres;
};

/* What .before_write and .refused are about. PATCH is an update, PUT a replacement. */
enum bp_resource_write { BP_WRITE_CREATE = 1, BP_WRITE_UPDATE, BP_WRITE_REPLACE, BP_WRITE_DELETE };

/* Begins with its size. Static const, or as long as the instance. */
struct bp_resource {
    uint32_t size;
    uint32_t object_size;          /* sizeof the struct that fields describe */
    const char *name;              /* "todo": messages ("Todo not found") and codes ("todo.not_found") */
    const char *plural;            /* "todos": messages, and the cache tag "todos:user:<owner>" */
    const char *table;             /* SQL name */
    const struct bp_field *fields; /* see above */
    uint32_t db;                   /* offset in self of the struct bp_service of "database" */
    uint32_t identity;             /* the same of "identity"; 0: none */
    const char *owner;             /* the member that says whose (BP_UUID, BP_READ_ONLY); NULL: everybody's */
    const char *version;           /* BP_I64: counts changes, makes the ETag; NULL: no ETag */
    const char *created, *updated; /* BP_DATE; may be NULL */
    const char *sort;              /* order when none is asked for: "-createdAt,title"; NULL: by identifier */
    const struct bp_resource_computed *computed; /* may be NULL */
    const struct bp_resource_filter *filters;    /* may be NULL */
    /* Of `q`: a condition in which "{value}" is the text asked for; NULL: no search. */
    const char *search, *search_postgres;
    uint32_t page_size, page_max; /* rows of a page, by default and at most; 0: 10 and 100 */
    uint32_t lenient_paging;      /* 1: a bad page or limit falls back to the default (old clients); 0: it is 400 */
    uint32_t refuse_unknown;      /* 1: a member of a body that fields lack is 400; 0: ignored */
    /* Before a write is sent, with the object as decoded (of BP_WRITE_DELETE: NULL; bp_is_set(fields, object, …) says what was given): more checks,
     * derived members. May suspend; may record a reply and return BP_REFUSED. It is asked again when a foreign key refused the write. NULL: nothing. */
    int (*before_write)(struct bp_request *rq, void *self, uint32_t write, const bp_uuid *id, void *object);
    /* The statement failed with a condition (enum bp_db_condition) that is not the owner's account being gone: make it a reply and return
     * BP_REFUSED. NULL: 409. */
    int (*refused)(struct bp_request *rq, void *self, uint32_t write, int condition);
    const struct bp_answer
        *answers; /* for documents: what before_write and refused answer to writes; ends with BP_ANSWER_END */
    /* Before a list with `q` is read: brings an index of texts up to date that writes do not pay for. May suspend. NULL: nothing. */
    int (*before_search)(struct bp_request *rq, void *self, const bp_uuid *owner);
    /* BP_F64, BP_READ_ONLY: the order that clients give the rows by bp_resource_move; new ones are behind all others. NULL: none. */
    const char *position;
    const char *move_into; /* a BP_UUID member that a move may set, too: "list_id"; NULL: none */
    /* Rows of an owner, or of the table, at most; a create beyond is 409. Counted in the statement itself: creates at the same moment
     * on a database that runs several at once may exceed it by their number. 0: no limit. */
    uint32_t row_max;
    uint32_t
        require_match; /* 1: a change or deletion without If-Match is 428 (with version only); 0: the last one wins */
};

#ifndef __cplusplus
/* A resource; rows of .computed and of .filters, and their ends. */
#define BP_RESOURCE(...)                                \
    {                                                   \
        .size = sizeof(struct bp_resource), __VA_ARGS__ \
    }
#define BP_COMPUTED(...)                                         \
    {                                                            \
        .size = sizeof(struct bp_resource_computed), __VA_ARGS__ \
    }
#define BP_COMPUTED_END \
    {                   \
        .size = 0       \
    }
#define BP_RESOURCE_FILTER(...)                                \
    {                                                          \
        .size = sizeof(struct bp_resource_filter), __VA_ARGS__ \
    }
#define BP_RESOURCE_FILTER_END \
    {                          \
        .size = 0              \
    }

/* The routes of a resource (or write out those that are wanted). path_: a literal. */
#define BP_RESOURCE_ROUTES(path_, resource_)                                       \
    BP_RESOURCE_ROUTE(BP_GET, path_, resource_, bp_resource_list),                 \
        BP_RESOURCE_ROUTE(BP_POST, path_, resource_, bp_resource_create),          \
        BP_RESOURCE_ROUTE(BP_POST, path_ "/bulk", resource_, bp_resource_bulk),    \
        BP_RESOURCE_ROUTE(BP_GET, path_ "/{id}", resource_, bp_resource_get),      \
        BP_RESOURCE_ROUTE(BP_PATCH, path_ "/{id}", resource_, bp_resource_update), \
        BP_RESOURCE_ROUTE(BP_PUT, path_ "/{id}", resource_, bp_resource_replace),  \
        BP_RESOURCE_ROUTE(BP_DELETE, path_ "/{id}", resource_, bp_resource_delete)
/* One of them. Name, document, parameters, body and reply follow from the handler. */
#define BP_RESOURCE_ROUTE(method_, path_, resource_, handler_) \
    BP_ROUTE(.method = (method_), .path = (path_), .handler = (handler_), .resource = (resource_))
#endif

/* What the path parameter {id} of these routes is decoded into. */
struct bp_resource_params {
    bp_uuid id;
};

/* Handlers. They suspend. */
bp_handler bp_resource_list;    /* GET: page or cursor, filters, sort, q, fields; the cache tag is the resource's */
bp_handler bp_resource_create;  /* POST */
bp_handler bp_resource_get;     /* GET one: ETag, If-None-Match, fields */
bp_handler bp_resource_update;  /* PATCH: merge patch (also plain JSON) or JSON Patch; If-Match */
bp_handler bp_resource_replace; /* PUT; If-Match */
bp_handler bp_resource_delete;  /* DELETE; If-Match */
bp_handler bp_resource_bulk;    /* POST: {"atomic":…, "operations":[{"op","id","data","ifMatch"}, …]} */

bp_handler
    bp_resource_move; /* POST {id}/move: {"after", "before", …}: its place in the order; not among BP_RESOURCE_ROUTES; If-Match */

#ifdef __cplusplus
}
#endif
#endif
