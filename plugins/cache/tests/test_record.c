/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "record.h"

static const char lines[] = "Cache-Control: private\r\nETag: \"abc\"\r\n";

static struct reply sample(void)
{
    return (struct reply){.content_type = BP_STR("application/json"),
                          .lines = bp_str_n(lines, sizeof(lines) - 1),
                          .etag = bp_str_n(lines + 30, 5),
                          .body = BP_STR("{\"a\":1}"),
                          .life = 31000};
}

Test(record, comes_back)
{
    struct reply reply = sample(), read;
    size_t len = record_size(&reply);
    char *bytes = malloc(len);
    cr_assert(bytes);
    record_write(&reply, bytes);
    cr_assert(record_read(bp_str_n(bytes, len), &read));
    cr_expect(bp_str_eq(read.content_type, reply.content_type));
    cr_expect(bp_str_eq(read.lines, reply.lines));
    cr_expect(bp_str_is(read.etag, "\"abc\""));
    cr_expect(bp_str_eq(read.body, reply.body));
    cr_expect_eq(read.life, 31000);
    cr_expect(read.lines.ptr > bytes && read.lines.ptr < bytes + len, "slices of the bytes");
    /* Cut anywhere, or longer, it is none. */
    for (size_t cut = 0; cut < len; cut++)
        cr_assert_not(record_read(bp_str_n(bytes, cut), &read), "%zu", cut);
    /* Whatever a byte of its head is: never read beyond the end. */
    for (size_t i = 0; i < 32; i++)
        for (unsigned value = 0; value < 256; value++) {
            char before = bytes[i];
            bytes[i] = (char)value;
            if (record_read(bp_str_n(bytes, len), &read)) {
                cr_assert(read.body.ptr + read.body.len == bytes + len);
                cr_assert(read.etag.ptr >= read.lines.ptr &&
                          read.etag.ptr + read.etag.len <= read.lines.ptr + read.lines.len);
            }
            bytes[i] = before;
        }
    free(bytes);
}

Test(record, an_etag_from_elsewhere_is_none)
{
    struct reply reply = sample();
    reply.etag = BP_STR("\"abc\"");
    cr_expect_eq(record_size(&reply), 0);
}
