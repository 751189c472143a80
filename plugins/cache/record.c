/* SPDX-License-Identifier: MIT */
#include "record.h"

/* Of another byte order, or another version, the number is another. */
#define MAGIC UINT32_C(0x42504301)

struct head {
    uint32_t magic, type_len, lines_len, etag_at, etag_len, body_len;
    int64_t life;
};

size_t record_size(const struct reply *reply)
{
    size_t size = sizeof(struct head) + reply->content_type.len + reply->lines.len + reply->body.len;
    bool inside =
        reply->etag.ptr >= reply->lines.ptr && reply->etag.ptr + reply->etag.len <= reply->lines.ptr + reply->lines.len;
    return inside && size < UINT32_MAX ? size : 0;
}

static char *put(char *at, bp_str text)
{
    if (text.len > 0)
        memcpy(at, text.ptr, text.len);
    return at + text.len;
}

void record_write(const struct reply *reply, char *ret_bytes)
{
    const struct head head = {.magic = MAGIC,
                              .type_len = (uint32_t)reply->content_type.len,
                              .lines_len = (uint32_t)reply->lines.len,
                              .etag_at = (uint32_t)(reply->etag.ptr - reply->lines.ptr),
                              .etag_len = (uint32_t)reply->etag.len,
                              .body_len = (uint32_t)reply->body.len,
                              .life = reply->life};
    char *at = put(ret_bytes, bp_str_n((const char *)&head, sizeof(head)));
    at = put(at, reply->content_type);
    at = put(at, reply->lines);
    put(at, reply->body);
}

bool record_read(bp_str bytes, struct reply *ret_reply)
{
    struct head head;
    if (bytes.len < sizeof(head))
        return false;
    memcpy(&head, bytes.ptr, sizeof(head));
    if (head.magic != MAGIC || head.life <= 0 ||
        (uint64_t)head.type_len + head.lines_len + head.body_len != bytes.len - sizeof(head) ||
        (uint64_t)head.etag_at + head.etag_len > head.lines_len)
        return false;
    const char *at = bytes.ptr + sizeof(head);
    ret_reply->content_type = bp_str_n(at, head.type_len);
    at += head.type_len;
    ret_reply->lines = bp_str_n(at, head.lines_len);
    ret_reply->etag = bp_str_n(at + head.etag_at, head.etag_len);
    ret_reply->body = bp_str_n(at + head.lines_len, head.body_len);
    ret_reply->life = head.life;
    return true;
}
