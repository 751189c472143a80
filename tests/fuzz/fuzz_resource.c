/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a cursor, as the names of ETags, and, split at the first newline, as a document and a JSON Patch for it. A cursor that was not given
 * out is none; one that was is read back as it was, for its own purpose only; a patch that fails leaves the document as it was, and one
 * that does not leaves it bounded.
 */
#include <stdlib.h>

#include "core/base/arena.h"
#include "core/resource/cursor.h"
#include "core/resource/etag.h"
#include "core/resource/json_patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const unsigned char key[CURSOR_KEY_BYTES] = "a key of exactly 32 bytes, say..";

static void check(bool truth)
{
    if (!truth)
        abort();
}

static void cursors(bp_str input, struct bp_arena *arena)
{
    static const uint32_t types[] = {BP_TYPE_TEXT, BP_TYPE_DATE, BP_TYPE_UUID};
    struct bp_db_value values[3];
    check(!cursor_read(key, BP_STR("list"), input, types, 3, arena, values));
    bp_uuid id = {{1, 2, 3}};
    struct bp_db_value made[3] = {bp_db_text(input.ptr ? input : BP_STR("")), bp_db_date((int64_t)input.len),
                                  bp_db_uuid(&id)};
    bp_str cursor = cursor_make(key, BP_STR("list"), made, 3, arena);
    if (!cursor.ptr) {
        check(input.len > 2000);
        return;
    }
    check(cursor_read(key, BP_STR("list"), cursor, types, 3, arena, values));
    check(bp_str_eq(values[0].as.text, made[0].as.text) && values[1].as.integer == made[1].as.integer);
    check(!cursor_read(key, BP_STR("another"), cursor, types, 3, arena, values));
    check(!cursor_read(key, BP_STR("list"), cursor, types, 2, arena, values));
}

static void etags(bp_str input)
{
    int64_t version = 7;
    enum etag_condition condition = etag_match(input, &version);
    check(condition != ETAG_ONE || etag_match_lists(input, version));
    check(condition == ETAG_ANY || condition == ETAG_NO_CONDITION || !etag_match_lists(input, version) ||
          etag_none_match(input, version)); /* what matches strongly matches weakly */
}

static void patches(bp_str input)
{
    const char *newline = input.len ? memchr(input.ptr, '\n', input.len) : NULL, *why;
    size_t at = newline ? (size_t)(newline - input.ptr) : input.len, operation;
    json_t *document = json_loadb(input.ptr, at, JSON_DECODE_ANY, NULL);
    json_t *patch = newline ? json_loadb(newline + 1, input.len - at - 1, JSON_DECODE_ANY, NULL) : NULL;
    if (document && patch) {
        json_t *before = json_deep_copy(document);
        int status = json_patch_apply(&document, patch, &operation, &why);
        check(status >= 0);
        if (status > 0)
            check(json_equal(before, document) && why[0]);
        json_decref(before);
    }
    json_decref(document);
    json_decref(patch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bp_str input = bp_str_n((const char *)data, size);
    struct bp_arena *arena = arena_new();
    check(arena != NULL);
    cursors(input, arena);
    etags(input);
    patches(input);
    arena_free(arena);
    return 0;
}
