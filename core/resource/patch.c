/* SPDX-License-Identifier: MIT */
#include "core/resource/patch.h"

#include "backplane/status.h"
#include "core/http/request.h"
#include "core/resource/body.h"
#include "core/resource/etag.h"
#include "core/resource/json_patch.h"

/* How often a patch without If-Match is done again because the row changed meanwhile. */
#define ATTEMPTS 5

bool patch_is_asked(struct bp_request *rq)
{
    return request_body_is(rq, BP_STR("application/json-patch+json"));
}

/* The members that clients write, as JSON. NULL: out of memory. */
static json_t *document_of(const struct resource *resource, void *object)
{
    struct buffer text = {0};
    uint64_t set = 0, null = 0, was_set = *object_set(resource, object), was_null = *object_null(resource, object);
    for (unsigned i = 0; i < resource->count; i++) {
        const struct member *member = &resource->members[i];
        if (member->body_index < 0)
            continue;
        set |= UINT64_C(1) << member->body_index;
        if (was_null & UINT64_C(1) << i)
            null |= UINT64_C(1) << member->body_index;
    }
    *object_set(resource, object) = set;
    *object_null(resource, object) = null;
    schema_encode_json(resource->update_rows, object, &text);
    *object_set(resource, object) = was_set;
    *object_null(resource, object) = was_null;
    json_t *document = text.failed ? NULL : json_loadb(text.ptr, text.len, 0, NULL);
    buffer_deinit(&text);
    return document;
}

static int refuse(struct bp_request *rq, int condition, size_t operation, const char *why)
{
    bp_str message = bp_arena_printf(rq->arena, "JSON Patch operation %zu: %s", operation, why);
    if (!message.ptr)
        return BP_NOMEM;
    unsigned status = condition == JSON_PATCH_MALFORMED ? 400 : condition == JSON_PATCH_TEST ? 409 : 422;
    static const char *const codes[] = {"", "json_patch.malformed", "json_patch.failed", "json_patch.test_failed"};
    int failed = bp_fail(rq, status, codes[condition], message.ptr);
    return failed < 0 ? failed : BP_REFUSED;
}

static int attempt(struct bp_request *rq, struct resource *resource, struct write *write, const json_t *patch)
{
    char etag[ETAG_MAX];
    const char *why, *given = write->if_match;
    size_t operation;
    void *found;
    int64_t version = 0;
    int status = write_find(rq, resource, NULL, write->id, write->owner, &found);
    if (status != 0)
        return status;
    json_t *document = document_of(resource, found);
    status = document ? json_patch_apply(&document, patch, &operation, &why) : BP_NOMEM;
    if (status > 0)
        status = refuse(rq, status, operation, why);
    write->object = bp_arena_alloc(rq->arena, resource->definition->object_size);
    if (status == 0)
        status = write->object ? body_value(rq, resource, resource->create_rows, document, write->object) : BP_NOMEM;
    json_decref(document);
    if (status != 0)
        return status;
    if (resource->version >= 0) {
        memcpy(&version, object_member(resource, found, resource->version), sizeof(version));
        if (given) {
            int64_t wanted;
            enum etag_condition condition = etag_match(bp_str_of(given), &wanted);
            if (condition != ETAG_ANY && !etag_match_lists(bp_str_of(given), version))
                return WRITE_E_VERSION;
        }
        etag_format(version, etag);
        write->if_match = etag;
    }
    write->kind = BP_WRITE_REPLACE;
    status = write_run(rq, resource, NULL, write);
    write->if_match = given;
    return status;
}

int patch_run(struct bp_request *rq, struct resource *resource, struct write *write)
{
    json_t *patch;
    int status = body_json(rq, &patch);
    if (status < 0)
        return status;
    status = WRITE_E_VERSION;
    for (int i = 0; status == WRITE_E_VERSION && i < ATTEMPTS && (i == 0 || !write->if_match); i++)
        status = attempt(rq, resource, write, patch);
    json_decref(patch);
    return status;
}
