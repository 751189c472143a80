/* SPDX-License-Identifier: MIT */
#include "owned_tags.h"

#include <stdio.h>
#include <stdlib.h>

#include "backplane/endpoints.h"
#include "backplane/wait.h"

static const char user[] = "{user}";

struct touched {
    bp_uuid id;
};

static const struct bp_field columns[] = {BP_UUID(struct touched, id), BP_END};

/* "todos:user:$1"; NULL when it depends on more than the user. *ret_failed: out of memory. */
static char *tag_of(const char *cache_tag, bool *ret_failed)
{
    const char *at = cache_tag ? strstr(cache_tag, user) : NULL;
    char *tag;
    if (!at || strchr(cache_tag, '{') != at || strchr(at + 1, '{') || strchr(cache_tag, '$'))
        return NULL;
    *ret_failed = asprintf(&tag, "%.*s$1%s", (int)(at - cache_tag), cache_tag, at + sizeof(user) - 1) < 0;
    return *ret_failed ? NULL : tag;
}

static bool is_known(const struct owned_tags *tags, const char *tag)
{
    for (size_t i = 0; i < tags->count; i++)
        if (strcmp(tags->statements[i].tag, tag) == 0)
            return true;
    return false;
}

static int add(struct owned_tags *tags, char *tag)
{
    struct bp_statement *grown = realloc(tags->statements, (tags->count + 1) * sizeof(*grown));
    if (!grown) {
        free(tag);
        return BP_NOMEM;
    }
    tags->statements = grown;
    grown[tags->count++] =
        (struct bp_statement)BP_STATEMENT(.name = "auth.touch", .flags = BP_SQL_READ,
                                          .sql = "SELECT id FROM users WHERE id = $1", .rows = columns,
                                          .row_size = sizeof(struct touched), .tag = tag);
    return 0;
}

int owned_tags_init(struct owned_tags *tags, const struct bp_host *host)
{
    struct bp_endpoint endpoint;
    for (size_t i = 0; bp_endpoint(host, i, &endpoint); i++) {
        bool failed = false;
        char *tag = tag_of(endpoint.route->cache_tag, &failed);
        if (failed)
            return BP_NOMEM;
        if (!tag || is_known(tags, tag)) {
            free(tag);
            continue;
        }
        int status = add(tags, tag);
        if (status < 0)
            return status;
    }
    return 0;
}

void owned_tags_deinit(struct owned_tags *tags)
{
    for (size_t i = 0; i < tags->count; i++)
        free((char *)(uintptr_t)tags->statements[i].tag);
    free(tags->statements);
    *tags = (struct owned_tags){0};
}

int owned_tags_touch(const struct owned_tags *tags, struct bp_service db, struct bp_tx *tx, const bp_uuid *user_id)
{
    struct bp_result result;
    int status = 0;
    for (size_t i = 0; i < tags->count && status == 0; i++)
        status = bp_db_query(db, tx, &tags->statements[i], BP_VALUES(bp_db_uuid(user_id)), bp_fiber_arena(), &result);
    return status > 0 ? BP_ERROR : status;
}
