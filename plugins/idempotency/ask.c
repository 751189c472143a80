/* SPDX-License-Identifier: MIT */
#include "ask.h"

#include <sodium.h>

bool ask_key(bp_str field, bp_str *ret_key)
{
    if (field.len >= 2 && field.ptr[0] == '"' && field.ptr[field.len - 1] == '"')
        field = bp_str_n(field.ptr + 1, field.len - 2);
    if (field.len == 0 || field.len > ASK_KEY_MAX)
        return false;
    for (size_t i = 0; i < field.len; i++)
        if (field.ptr[i] < 0x21 || field.ptr[i] > 0x7e)
            return false;
    *ret_key = field;
    return true;
}

/* With its length before it, so that no two lists of texts give the same bytes. */
static void add(crypto_generichash_state *hash, bp_str text)
{
    const uint64_t len = text.len;
    (void)crypto_generichash_update(hash, (const unsigned char *)&len, sizeof(len));
    if (text.len > 0)
        (void)crypto_generichash_update(hash, (const unsigned char *)text.ptr, text.len);
}

static bp_uuid digest(const bp_str *texts, size_t count)
{
    crypto_generichash_state hash;
    bp_uuid sum;
    (void)crypto_generichash_init(&hash, NULL, 0, sizeof(sum.bytes));
    for (size_t i = 0; i < count; i++)
        add(&hash, texts[i]);
    (void)crypto_generichash_final(&hash, sum.bytes, sizeof(sum.bytes));
    return sum;
}

void ask_of(struct bp_request *rq, bp_str key, bp_str body, struct ask *ret_ask)
{
    const struct bp_identity *identity = bp_identity(rq);
    const bp_str who[] = {
        identity ? BP_STR("user") : BP_STR("address"),
        identity ? bp_str_n((const char *)identity->user_id.bytes, sizeof(identity->user_id.bytes))
                 : bp_request_client_bytes(rq),
        bp_request_method_name(rq),
        bp_request_route(rq),
        key,
    };
    const bp_str what[] = {bp_request_method_name(rq), bp_request_path(rq), bp_request_query(rq), body};
    ret_ask->id = digest(who, sizeof(who) / sizeof(who[0]));
    ret_ask->fingerprint = digest(what, sizeof(what) / sizeof(what[0]));
    memcpy(&ret_ask->lock, ret_ask->id.bytes, sizeof(ret_ask->lock));
}

bool ask_is_text(bp_str bytes)
{
    while (bytes.len > 0) {
        size_t len = bp_utf8_length(bytes);
        if (len == 0 || bytes.ptr[0] == '\0')
            return false;
        bytes = bp_str_n(bytes.ptr + len, bytes.len - len);
    }
    return true;
}
