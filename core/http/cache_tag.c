/* SPDX-License-Identifier: MIT */
/* What a cached reply depends on, as text. It must come out as the database layer writes the same tag for a statement. */
#include "backplane/iface/cache_tags.h"
#include "core/http/request.h"

struct text {
    size_t len;
    char at[BP_CACHE_TAG_MAX];
};

static bool add(struct text *tag, bp_str text)
{
    if (text.len > sizeof(tag->at) - tag->len)
        return false;
    if (text.len > 0)
        memcpy(tag->at + tag->len, text.ptr, text.len);
    tag->len += text.len;
    return true;
}

static bool add_uuid(struct text *tag, const bp_uuid *uuid)
{
    char text[BP_UUID_LEN];
    bp_uuid_format(uuid, text);
    return add(tag, bp_str_n(text, sizeof(text)));
}

static const struct bp_field *row_of(const struct bp_request *rq, bp_str name)
{
    for (const struct bp_field *row = rq->endpoint->route.params; row && row->type != BP_TYPE_END; row++)
        if (row->type != BP_TYPE_PRESENCE && bp_str_eq(schema_json_name(row), name))
            return row;
    return NULL;
}

/* Stages run before parameters are decoded, and one value may be written in several ways; a statement writes it in one. */
static bool add_parameter(struct bp_request *rq, struct text *tag, bp_str name)
{
    uint32_t i = 0;
    while (i < rq->params.count && !bp_str_eq(rq->params.names[i], name))
        i++;
    if (i == rq->params.count)
        return false;
    bp_str text = rq->params.values[i];
    char *decoded = bp_arena_alloc(rq->arena, text.len + 1);
    size_t len;
    if (!decoded)
        return false;
    if (parser_percent_decode(text, false, decoded, &len))
        text = bp_str_n(decoded, len);
    const struct bp_field *row = row_of(rq, name);
    bp_uuid uuid;
    if (!row || row->type == BP_TYPE_TEXT)
        return text.len > 0 && !(row && row->flags & (BP_TRIM | BP_LOWER)) && add(tag, text);
    if (row->type == BP_TYPE_UUID)
        return bp_uuid_parse(text, &uuid) && add_uuid(tag, &uuid);
    /* A number in its shortest form; no other type of value makes a tag. */
    return (row->type == BP_TYPE_I64 || row->type == BP_TYPE_U32) && text.len > 0 && text.len < 20 &&
           (text.ptr[0] != '0' || text.len == 1) && strspn(decoded, "0123456789") == text.len && add(tag, text);
}

static bool expand(struct bp_request *rq, const char *template, struct text *tag)
{
    for (const char *brace = strchr(template, '{'); brace; brace = strchr(template, '{')) {
        const char *end = strchr(brace, '}');
        if (!end || !add(tag, bp_str_n(template, (size_t)(brace - template))))
            return false;
        bp_str name = bp_str_n(brace + 1, (size_t)(end - brace) - 1);
        if (bp_str_is(name, "user") ? !rq->has_identity || !add_uuid(tag, &rq->identity.user_id)
                                    : !add_parameter(rq, tag, name))
            return false;
        template = end + 1;
    }
    return add(tag, bp_str_of(template));
}

bp_str bp_request_cache_tag(struct bp_request *rq)
{
    struct text tag;
    const char *template = rq->endpoint ? rq->endpoint->route.cache_tag : NULL;
    tag.len = 0;
    if (!template || !expand(rq, template, &tag))
        return BP_STR("");
    bp_str copy = bp_arena_copy(rq->arena, bp_str_n(tag.at, tag.len));
    return copy.ptr ? copy : BP_STR("");
}
