/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include <stdlib.h>

char *bytes_room(struct bytes *bytes, size_t more)
{
    if (bytes->failed)
        return NULL;
    if (more > bytes->cap - bytes->len) {
        size_t cap = bytes->cap ? bytes->cap : 4096;
        while (cap - bytes->len < more)
            cap *= 2;
        char *ptr = realloc(bytes->ptr, cap);
        if (!ptr) {
            bytes->failed = true;
            return NULL;
        }
        bytes->ptr = ptr;
        bytes->cap = cap;
    }
    return bytes->ptr + bytes->len;
}

void bytes_add(struct bytes *bytes, const void *data, size_t len)
{
    char *room = len > 0 ? bytes_room(bytes, len) : NULL;
    if (!room)
        return;
    memcpy(room, data, len);
    bytes->len += len;
}

void bytes_add_char(struct bytes *bytes, char c)
{
    bytes_add(bytes, &c, 1);
}

void bytes_deinit(struct bytes *bytes)
{
    free(bytes->ptr);
    *bytes = (struct bytes){0};
}
