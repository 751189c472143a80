/* SPDX-License-Identifier: MIT */
#include "key_ring.h"

#include <jansson.h>

#include "secret.h"

static void check_kid(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    bp_str kid = *(const bp_str *)value;
    for (size_t i = 0; i < kid.len; i++) {
        char c = kid.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && !memchr("._-", c, 3)) {
            bp_problem_add(problems, row, "auth.kid", "must consist of letters, digits, \".\", \"_\" and \"-\"");
            return;
        }
    }
}

const struct bp_field key_option_rows[] = {
    BP_TEXT(struct key_option, kid, .flags = BP_REQUIRED, .min = 1, .max = KEY_ID_MAX, .check = check_kid,
            .doc = "Its name, in the header of the tokens."),
    BP_CHOICE(struct key_option, algorithm, .choices = key_algorithm_names, .def = "ES256",
              .doc = "What it signs with; tokens that name it and say anything else are refused."),
    BP_TEXT(struct key_option, private_key, .def = "", .flags = BP_SECRET, .doc = "PEM: it signs and verifies."),
    BP_TEXT(struct key_option, public_key, .def = "", .doc = "PEM: it verifies only, for a key that was retired."),
    BP_TEXT(struct key_option, secret, .def = "", .flags = BP_SECRET, .doc = "HS256: 32 characters or more."),
    BP_END,
};

static const char *load(const struct key_option *option, struct key *ret_key)
{
    bool hmac = option->algorithm == KEY_HS256;
    if (hmac != (option->secret.len > 0) ||
        (option->private_key.len > 0) + (option->public_key.len > 0) + (option->secret.len > 0) != 1)
        return hmac ? "must have a secret, and no other key, for HS256"
                    : "must have either a private_key or a public_key";
    if (!hmac)
        return key_from_pem((enum key_algorithm)option->algorithm,
                            option->private_key.len > 0 ? option->private_key : option->public_key,
                            option->private_key.len > 0, ret_key);
    if (secret_characters(option->secret) < SECRET_MIN)
        return "must have a secret of at least 32 characters";
    *ret_key = (struct key){.algorithm = KEY_HS256, .secret = option->secret, .signs = true};
    return NULL;
}

const char *key_ring_init(struct key_ring *ring, const struct key_option *options, size_t count, size_t *ret_index)
{
    for (size_t i = 0; i < count; i++) {
        struct key key;
        *ret_index = i;
        if (key_ring_find(ring, options[i].kid))
            return "must have a kid of its own";
        const char *problem = load(&options[i], &key);
        if (problem)
            return problem;
        if (i == 0 && !key.signs) {
            key_deinit(&key);
            return "must have a private_key: the first key signs";
        }
        memcpy(key.id, options[i].kid.ptr, options[i].kid.len);
        ring->keys[ring->count++] = key;
    }
    return NULL;
}

void key_ring_deinit(struct key_ring *ring)
{
    for (size_t i = 0; i < ring->count; i++)
        key_deinit(&ring->keys[i]);
    ring->count = 0;
}

const struct key *key_ring_signer(const struct key_ring *ring)
{
    return ring->count > 0 ? &ring->keys[0] : &ring->default_key;
}

const struct key *key_ring_find(const struct key_ring *ring, bp_str id)
{
    if (!id.ptr)
        return ring->default_key.secret.len > 0 ? &ring->default_key : NULL;
    for (size_t i = 0; i < ring->count; i++)
        if (bp_str_is(id, ring->keys[i].id))
            return &ring->keys[i];
    return NULL;
}

char *key_ring_public(const struct key_ring *ring)
{
    json_t *keys = json_array(), *set = json_object();
    bool complete = keys && set;
    for (size_t i = 0; complete && i < ring->count; i++)
        if (ring->keys[i].algorithm != KEY_HS256)
            complete = json_array_append_new(keys, key_to_jwk(&ring->keys[i])) == 0;
    complete = complete && json_object_set(set, "keys", keys) == 0;
    char *text = complete ? json_dumps(set, JSON_COMPACT) : NULL;
    json_decref(keys);
    json_decref(set);
    return text;
}
