/* SPDX-License-Identifier: MIT */
#include <brotli/decode.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "backplane/uuid.h"
#include "coder.h"
#include "core/base/arena.h"
#include "tag.h"

Test(compress, what_the_client_accepts)
{
    enum { G = 1u << CODING_GZIP, B = 1u << CODING_BROTLI };
    static const struct {
        const char *field;
        unsigned offered;
        enum coding chosen;
    } cases[] = {{"", G | B, CODING_IDENTITY},
                 {"gzip", G | B, CODING_GZIP},
                 {"x-gzip", G | B, CODING_GZIP},
                 {"GZIP", G | B, CODING_GZIP},
                 {"br", G | B, CODING_BROTLI},
                 {"br", G, CODING_IDENTITY},
                 {"gzip, deflate, br", G | B, CODING_BROTLI},
                 {"gzip, deflate, br", G, CODING_GZIP},
                 {"gzip;q=1.0, br;q=0.9", G | B, CODING_GZIP},
                 {"gzip;q=0.5,br;q=0.501", G | B, CODING_BROTLI},
                 {"gzip;q=0", G | B, CODING_IDENTITY},
                 {"*", G | B, CODING_BROTLI},
                 {"*;q=0", G | B, CODING_IDENTITY},
                 {"*;q=0.5, br;q=0", G | B, CODING_GZIP},
                 {"identity, gzip;q=0.5", G | B, CODING_IDENTITY},
                 {"identity;q=0.5, gzip", G | B, CODING_GZIP},
                 {"identity, gzip", G | B, CODING_GZIP},
                 {"gzip;q=2", G | B, CODING_IDENTITY},
                 {"gzip;q=1.001", G | B, CODING_IDENTITY},
                 {"gzip;q=", G | B, CODING_IDENTITY},
                 {"gzip;q=0.1234", G | B, CODING_IDENTITY},
                 {" , ,gzip ; q=0.001,", G | B, CODING_GZIP},
                 {"gzipped", G | B, CODING_IDENTITY},
                 {"deflate", G | B, CODING_IDENTITY},
                 {"gzip, br", 0, CODING_IDENTITY}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect_eq(accept_choose(bp_str_of(cases[i].field), cases[i].offered), cases[i].chosen, "%s", cases[i].field);
}

Test(compress, entity_tags)
{
    static const struct {
        const char *list, *stripped; /* NULL: nothing to strip */
    } lists[] = {{"\"7-gzip\"", "\"7\""},
                 {"\"7-br\"", "\"7\""},
                 {"\"7\"", NULL},
                 {"*", NULL},
                 {"", NULL},
                 {"\"a\", \"b-gzip\", W/\"c-br\", \"d\"", "\"a\", \"b\", W/\"c\", \"d\""},
                 {"\"-gzip\"", "\"\""},
                 {"\"gzip\"", NULL}};
    struct bp_arena *arena = arena_new();
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        bp_str stripped = tag_strip(arena, bp_str_of(lists[i].list));
        cr_expect_eq(stripped.ptr != NULL, lists[i].stripped != NULL, "%s", lists[i].list);
        if (stripped.ptr && lists[i].stripped)
            cr_expect(bp_str_is(stripped, lists[i].stripped), "%s", lists[i].list);
    }
    cr_expect(bp_str_is(tag_add(arena, BP_STR("\"7\""), CODING_GZIP), "\"7-gzip\""));
    cr_expect(bp_str_is(tag_add(arena, BP_STR("\"7\""), CODING_BROTLI), "\"7-br\""));
    cr_expect(bp_str_is(tag_add(arena, BP_STR("W/\"7\""), CODING_BROTLI), "W/\"7\""));
    cr_expect(tag_listed(BP_STR("\"1\", \"7-br\""), BP_STR("\"7\""), CODING_BROTLI));
    cr_expect_not(tag_listed(BP_STR("\"1\", \"7-br\""), BP_STR("\"7\""), CODING_GZIP));
    cr_expect_not(tag_listed(BP_STR("\"17-br\""), BP_STR("\"7\""), CODING_BROTLI));
    cr_expect_not(tag_listed(BP_STR("\"7-b"), BP_STR("\"7\""), CODING_BROTLI));
    arena_free(arena);
}

static void decode(struct coder_job *job, char *out, size_t size)
{
    size_t len = size;
    if (job->coding == CODING_BROTLI) {
        cr_assert_eq(BrotliDecoderDecompress(job->len, (const uint8_t *)job->out, &len, (uint8_t *)out),
                     BROTLI_DECODER_RESULT_SUCCESS);
    } else {
        z_stream stream = {.next_in = (Bytef *)job->out,
                           .avail_in = (uInt)job->len,
                           .next_out = (Bytef *)out,
                           .avail_out = (uInt)size};
        cr_assert_eq(inflateInit2(&stream, 15 + 16), Z_OK);
        cr_assert_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
        len = stream.total_out;
        inflateEnd(&stream);
    }
    cr_assert_eq(len, size);
    cr_expect_eq(memcmp(out, job->in.ptr, size), 0);
}

Test(compress, there_and_back)
{
    static const size_t sizes[] = {200, 1024, 40000, 300000};
    static const struct {
        enum coding coding;
        uint32_t level;
    } ways[] = {{CODING_GZIP, 1}, {CODING_GZIP, 5}, {CODING_GZIP, 9}, {CODING_BROTLI, 1}, {CODING_BROTLI, 4}};
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        size_t size = sizes[s];
        char *in = malloc(size), *out = malloc(size), *back = malloc(size);
        cr_assert(in && out && back);
        for (size_t i = 0; i < size; i++)
            in[i] = "{\"title\":\"Buy milk\",\"n\":"[(i + i / 1000) % 24];
        for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
            struct coder_job job = {
                .coding = ways[w].coding, .level = ways[w].level, .in = bp_str_n(in, size), .out = out};
            cr_assert_eq(coder_run(&job), 0, "%zu %zu", s, w);
            cr_expect_lt(job.len, size);
            decode(&job, back, size);
        }
        free(in);
        free(out);
        free(back);
    }
    /* What does not get smaller is refused, and so is next to nothing. */
    char noise[64], room[64];
    bp_random(noise, sizeof(noise));
    for (unsigned coding = CODING_GZIP; coding < CODING_COUNT; coding++)
        for (size_t len = 0; len <= sizeof(noise); len += 8) {
            struct coder_job job = {.coding = (enum coding)coding, .level = 4, .in = {noise, len}, .out = room};
            cr_expect_eq(coder_run(&job), 1, "%u %zu", coding, len);
        }
}
