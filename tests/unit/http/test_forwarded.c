/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/http/forwarded.h"
#include "tests/unit/http/limits.h"

static struct bp_network trusted[3];

static void trust(void)
{
    cr_assert_null(bp_network_parse(BP_STR("10.0.0.0/8"), &trusted[0]));
    cr_assert_null(bp_network_parse(BP_STR("fd00::/8"), &trusted[1]));
    cr_assert_null(bp_network_parse(BP_STR("unix"), &trusted[2]));
}

struct example {
    const char *lines[4]; /* "name: value"; the peer is 10.0.0.1 */
    const char *client;
    enum forwarded_word word;
};

/* The values are copied so that reading beyond one is seen. */
static void run(const struct example *example, enum forwarded_header header)
{
    struct parser_head *head = calloc(1, sizeof(*head));
    struct bp_address address = bp_address_of(bp_str_n("\x0a\0\0\1", 4));
    enum forwarded_word word = (enum forwarded_word)99;
    char text[INET6_ADDRSTRLEN] = "";
    char *values[4] = {0};
    for (size_t i = 0; i < 4 && example->lines[i]; i++) {
        const char *colon = strstr(example->lines[i], ": ");
        size_t len = strlen(colon + 2);
        values[i] = exact_copy(colon + 2, len);
        head->fields[head->field_count++] = (struct parser_field){
            bp_str_n(example->lines[i], (size_t)(colon - example->lines[i])), bp_str_n(values[i], len)};
    }
    forwarded_walk(head, header, trusted, 3, &address, &word);
    cr_assert(inet_ntop(address.len == 4 ? AF_INET : AF_INET6, address.bytes, text, sizeof(text)));
    cr_assert_str_eq(text, example->client, "%s | %s: %s", example->lines[0], example->lines[1], text);
    cr_assert_eq(word, example->word, "%s | %s: word %d", example->lines[0], example->lines[1], (int)word);
    for (size_t i = 0; i < 4; i++)
        free(values[i]);
    free(head);
}

Test(forwarded, x_forwarded_for)
{
    static const struct example examples[] = {
        {{"Host: a"}, "10.0.0.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: 192.0.2.1"}, "192.0.2.1", FORWARDED_SILENT},
        {{"x-forwarded-for: 2001:db8::1"}, "2001:db8::1", FORWARDED_SILENT},
        {{"X-Forwarded-For: ::ffff:192.0.2.1"}, "192.0.2.1", FORWARDED_SILENT},
        /* What stands left of the first that is not trusted is a client's invention. */
        {{"X-Forwarded-For: 1.1.1.1, 192.0.2.1"}, "192.0.2.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: 10.0.0.9, 192.0.2.1, 10.0.0.2,10.3.2.1"}, "192.0.2.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: 192.0.2.1, fd00::7"}, "192.0.2.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 192.0.2.1"}, "192.0.2.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: 192.0.2.1", "Host: a", "X-Forwarded-For: 10.0.0.3"}, "192.0.2.1", FORWARDED_SILENT},
        /* All of them are trusted: the outermost. */
        {{"X-Forwarded-For: 10.0.0.9, 10.0.0.8"}, "10.0.0.9", FORWARDED_SILENT},
        /* Ports and brackets, as some write them. */
        {{"X-Forwarded-For: 192.0.2.1:5000"}, "192.0.2.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: [2001:db8::1]"}, "2001:db8::1", FORWARDED_SILENT},
        {{"X-Forwarded-For: [2001:db8::1]:65535"}, "2001:db8::1", FORWARDED_SILENT},
        /* Not believed, and neither is what stands left of it. */
        {{"X-Forwarded-For: 192.0.2.1, unknown"}, "10.0.0.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: 192.0.2.1, x, 10.0.0.5"}, "10.0.0.5", FORWARDED_SILENT},
        {{"X-Forwarded-For: 192.0.2.256"}, "10.0.0.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: 192.0.2.1:65536"}, "10.0.0.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: 192.0.2.1:"}, "10.0.0.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: [192.0.2.1]"}, "10.0.0.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: [2001:db8::1"}, "10.0.0.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: [2001:db8::1]x"}, "10.0.0.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: []"}, "10.0.0.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: unix:"}, "10.0.0.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: 192.0.2.1 10.0.0.2"}, "10.0.0.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: \"192.0.2.1\""}, "10.0.0.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: \"1.1.1.1, 192.0.2.1"}, "192.0.2.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: "}, "10.0.0.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: , ,, "}, "10.0.0.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: 192.0.2.1,, ,"}, "192.0.2.1", FORWARDED_SILENT},
        /* A client can send the other field through proxies that know nothing of it. */
        {{"Forwarded: for=1.1.1.1;proto=https", "X-Forwarded-For: 192.0.2.1"}, "192.0.2.1", FORWARDED_SILENT},
        {{"Forwarded: for=1.1.1.1;proto=https"}, "10.0.0.1", FORWARDED_SILENT},
        /* The scheme. */
        {{"X-Forwarded-Proto: https"}, "10.0.0.1", FORWARDED_SECURE},
        {{"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: HTTPS"}, "192.0.2.1", FORWARDED_SECURE},
        {{"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: http"}, "192.0.2.1", FORWARDED_PLAIN},
        {{"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: gopher"}, "192.0.2.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: 192.0.2.1, 10.0.0.2", "X-Forwarded-Proto: https"}, "192.0.2.1", FORWARDED_SECURE},
        {{"X-Forwarded-For: 192.0.2.1, 10.0.0.2", "X-Forwarded-Proto: https, http"}, "192.0.2.1", FORWARDED_SECURE},
        {{"X-Forwarded-For: 192.0.2.1, 10.0.0.2", "X-Forwarded-Proto: http, https"}, "192.0.2.1", FORWARDED_PLAIN},
        {{"X-Forwarded-For: 1.1.1.1, 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Proto: http"},
         "192.0.2.1",
         FORWARDED_PLAIN},
        /* As many as no proxy has written: the nearest one's counts. */
        {{"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https, https, http"}, "192.0.2.1", FORWARDED_PLAIN},
    };
    trust();
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
        run(&examples[i], FORWARDED_X);
}

Test(forwarded, forwarded_of_rfc_7239)
{
    static const struct example examples[] = {
        {{"Forwarded: for=192.0.2.1"}, "192.0.2.1", FORWARDED_SILENT},
        {{"forwarded: For=\"[2001:db8:cafe::17]:4711\""}, "2001:db8:cafe::17", FORWARDED_SILENT},
        {{"Forwarded: for=192.0.2.60;proto=http;by=203.0.113.43"}, "192.0.2.60", FORWARDED_PLAIN},
        {{"Forwarded: proto=https; for=\"192.0.2.60:80\" ;by=_x;host=\"a,b\""}, "192.0.2.60", FORWARDED_SECURE},
        {{"Forwarded: for=192.0.2.43, for=198.51.100.17"}, "198.51.100.17", FORWARDED_SILENT},
        {{"Forwarded: for=192.0.2.43;proto=https, for=10.0.0.2;proto=http"}, "192.0.2.43", FORWARDED_SECURE},
        {{"Forwarded: for=1.1.1.1;proto=https", "Forwarded: for=192.0.2.1;proto=http"}, "192.0.2.1", FORWARDED_PLAIN},
        {{"Forwarded: ;;for=192.0.2.1;"}, "192.0.2.1", FORWARDED_SILENT},
        {{"Forwarded: for=192.0.2.1;proto=\"https\""}, "192.0.2.1", FORWARDED_SECURE},
        {{"Forwarded: for=192.0.2.1;x=\"\\\"\\\\\";proto=https"}, "192.0.2.1", FORWARDED_SECURE},
        {{"Forwarded: for=[2001:db8::1]:80"}, "2001:db8::1", FORWARDED_SILENT},
        /* What a client left open does not swallow what a proxy wrote behind it. */
        {{"Forwarded: for=\"1.1.1.1, for=192.0.2.1"}, "192.0.2.1", FORWARDED_SILENT},
        {{"Forwarded: for=1.1.1.1;x=\"\\, for=192.0.2.1;proto=http"}, "192.0.2.1", FORWARDED_PLAIN},
        {{"Forwarded: for=\", for=\"192.0.2.1:80\""}, "192.0.2.1", FORWARDED_SILENT},
        {{"Forwarded: for=192.0.2.1;host=\"a\\\", for=1.1.1.1\""}, "192.0.2.1", FORWARDED_SILENT},
        {{"Forwarded: for=1.1.1.1, for=\"10.0.0.5\"x"}, "10.0.0.1", FORWARDED_SILENT},
        /* Not believed. */
        {{"Forwarded: for=unknown;proto=https"}, "10.0.0.1", FORWARDED_SILENT},
        {{"Forwarded: for=192.0.2.1, for=_hidden, for=10.0.0.2;proto=http"}, "10.0.0.2", FORWARDED_PLAIN},
        {{"Forwarded: for=2001:db8::1"}, "10.0.0.1", FORWARDED_SILENT},
        {{"Forwarded: for=192.0.2.1;for=192.0.2.2"}, "10.0.0.1", FORWARDED_SILENT},
        {{"Forwarded: proto=https;for=192.0.2.1;Proto=http"}, "10.0.0.1", FORWARDED_SILENT},
        {{"Forwarded: proto=https"}, "10.0.0.1", FORWARDED_SILENT},
        {{"Forwarded: for=\"\""}, "10.0.0.1", FORWARDED_SILENT},
        {{"Forwarded: for="}, "10.0.0.1", FORWARDED_SILENT},
        {{"Forwarded: for"}, "10.0.0.1", FORWARDED_SILENT},
        {{"Forwarded: =192.0.2.1"}, "10.0.0.1", FORWARDED_SILENT},
        {{"Forwarded: for =192.0.2.1"}, "10.0.0.1", FORWARDED_SILENT},
        {{"Forwarded: for=192.0.2.1 proto=https"}, "10.0.0.1", FORWARDED_SILENT},
        {{"Forwarded: 192.0.2.1"}, "10.0.0.1", FORWARDED_SILENT},
        {{"Forwarded: for=\"192.0.2.1"}, "10.0.0.1", FORWARDED_SILENT},
        {{"Forwarded: for=\"192.0.2.1\\"}, "10.0.0.1", FORWARDED_SILENT},
        {{"Forwarded: for=\"192.0.2.\\1\""}, "10.0.0.1", FORWARDED_SILENT},
        {{"Forwarded: for=192.0.2.1;proto=gopher"}, "192.0.2.1", FORWARDED_SILENT},
        {{"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"}, "10.0.0.1", FORWARDED_SILENT},
    };
    trust();
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
        run(&examples[i], FORWARDED_STANDARD);
}

/* Random bytes of the grammar's own alphabet: nothing but an address that stands there is ever believed, and nothing is read beyond the end. */
Test(forwarded, hostile_bytes)
{
    static const char alphabet[] = "for=proto\"\\,;[]:. 10af_https";
    static const char *const names[] = {"forwarded", "x-forwarded-for"};
    uint32_t seed = 1;
    trust();
    struct parser_head *head = calloc(1, sizeof(*head));
    for (unsigned round = 0; round < 20000; round++) {
        char bytes[48];
        size_t len = round % sizeof(bytes);
        for (size_t i = 0; i < len; i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
        }
        char *copy = exact_copy(bytes, len);
        struct bp_address address = bp_address_of(bp_str_n("\x0a\0\0\1", 4));
        enum forwarded_word word;
        head->field_count = 1;
        head->fields[0] = (struct parser_field){bp_str_of(names[round % 2]), bp_str_n(copy, len)};
        forwarded_walk(head, round % 2 ? FORWARDED_X : FORWARDED_STANDARD, trusted, 3, &address, &word);
        cr_assert(address.len == 4 || address.len == 16);
        cr_assert_leq(word, FORWARDED_SECURE);
        free(copy);
    }
    free(head);
}

Test(forwarded, a_long_chain_ends)
{
    struct parser_head *head = calloc(1, sizeof(*head));
    char *value = malloc(FORWARDED_HOPS * 2 * 10 + 16);
    size_t len = (size_t)sprintf(value, "192.0.2.1");
    struct bp_address address = bp_address_of(bp_str_n("\x0a\0\0\1", 4));
    enum forwarded_word word;
    trust();
    for (unsigned i = 0; i < FORWARDED_HOPS * 2; i++)
        len += (size_t)sprintf(value + len, ",10.0.0.%u", i % 10);
    head->fields[0] = (struct parser_field){BP_STR("X-Forwarded-For"), bp_str_n(value, len)};
    head->field_count = 1;
    forwarded_walk(head, FORWARDED_X, trusted, 3, &address, &word);
    cr_assert_eq(address.bytes[0], 10);
    free(value);
    free(head);
}
