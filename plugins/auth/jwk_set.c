/* SPDX-License-Identifier: MIT */
/* A document with keys, as an issuer publishes it (RFC 7517 5). */
#include <jansson.h>

#include "claims.h"
#include "issuer.h"

size_t jwk_set_read(bp_str document, unsigned algorithms, struct key ret_keys[ISSUER_KEYS_MAX])
{
    json_t *set = claims_parse(document);
    const json_t *entry;
    size_t i, count = 0;
    json_array_foreach(json_object_get(set, "keys"), i, entry)
    {
        if (count == ISSUER_KEYS_MAX)
            break;
        if (json_is_object(entry) && key_from_jwk(entry, algorithms, &ret_keys[count])) {
            ret_keys[count].foreign = true;
            count++;
        }
    }
    json_decref(set);
    return count;
}
