/* SPDX-License-Identifier: MIT */
/* What the loader refuses, and in which words. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "core/base/arena.h"
#include "core/plugin/elf_file.h"
#include "core/plugin/library.h"
#include "tests/plugins/world.h"

/* Opens PLUGINS/name.so; gives what was said about it, malloc'ed. */
static char *refusal_in(const char *folder, const char *name)
{
    struct bp_arena *arena = arena_new();
    struct buffer why = {0};
    struct library library;
    cr_assert_not(library_open(folder, name, arena, &library, &why), "%s was not refused", name);
    buffer_add_char(&why, 0);
    char *text = text_replace(why.ptr, folder, "PLUGINS");
    buffer_deinit(&why);
    arena_free(arena);
    return text;
}

Test(library, refusals)
{
    char sizes[2][96];
    snprintf(sizes[0], sizeof(sizes[0]), "size is %zu, this server's is %zu", sizeof(struct bp_plugin) + 8,
             sizeof(struct bp_plugin));
    snprintf(sizes[1], sizeof(sizes[1]), "size is 64, this server's is %zu", sizeof(struct bp_plugin));
    const struct {
        const char *name, *why;
    } cases[] = {
        {"bad_magic", "magic is 0xdeadbeef, this server's is 0x42504c4e"},
        {"other_major", "abi_major is 2, this server's is 1"},
        {"newer_minor", "abi_minor is 1, this server's is 0: it was built for a newer server"},
        {"bigger_size", sizes[0]},
        {"smaller_size", sizes[1]},
        {"wrong_name", "name is \"another\", the file's is \"wrong_name\""},
        {"returns_nothing", "backplane_plugin() returned nothing"},
        {"no_symbol",
         "PLUGINS/no_symbol.so exports no backplane_plugin: it is not a plugin, or BP_PLUGIN() is missing"},
        {"undefined_symbol", "PLUGINS/undefined_symbol.so uses \"bp_of_the_future\", which this server does not have"},
        {"core_key", "options: \"name\" is a key of the core"},
        {"outside", "options: \"key\" ends at byte 24, but self_size is 8"},
        {"stage_without_middleware", "options: \"quota\" is a stage's, but there is no middleware"},
        {"uneven_rows", "size of needs[1] is 24, that of needs[0] is 32"},
        {"metric_outside", "metrics[0]: its member ends at byte 16, but self_size is 8"},
        {"need_outside", "needs \"thing\": its member ends at byte 16, but self_size is 8"},
        {"need_core_key", "needs[0]: \"optional\" is a key of the core"},
        {"need_twice", "needs[2]: \"thing\" is the key of needs[0], too; give it another (.key)"},
        {"route_without_handler", "routes[0] has no handler"},
        {"command_without_run", "commands[0] has no run"},
        {"migration_gap", "migrations[1] has version 3, expected 2"},
        {"migration_without_database", "it has migrations, but does not need \"database\""},
        {"cart", "no plugin \"cart\" in PLUGINS; did you mean \"card\"?"},
        {"nothing_like_it", "no plugin \"nothing_like_it\" in PLUGINS"},
        {"../card", "\"../card\" is not the name of a plugin: letters, digits, \"_\" and \"-\" only"},
        {"", "\"\" is not the name of a plugin: letters, digits, \"_\" and \"-\" only"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *why = refusal_in(TEST_PLUGIN_DIR, cases[i].name);
        cr_expect_str_eq(why, cases[i].why, "%s: %s", cases[i].name, why);
        free(why);
    }
}

Test(library, bad_table_is_named)
{
    char *why = refusal_in(TEST_PLUGIN_DIR, "bad_default");
    cr_expect_eq(strncmp(why, "options: ", 9), 0, "%s", why);
    cr_expect_not_null(strstr(why, "quota"), "%s", why);
    free(why);
}

Test(library, missing_folder)
{
    char *why = refusal_in("/nonexistent/folder", "nothing_like_it");
    cr_expect_str_eq(why, "the folder of plugins, PLUGINS, cannot be read: No such file or directory", "%s", why);
    free(why);
}

Test(library, opens)
{
    struct bp_arena *arena = arena_new();
    struct buffer why = {0};
    struct library library;
    cr_assert(library_open(TEST_PLUGIN_DIR, "card", arena, &library, &why));
    cr_expect_eq(why.len, 0);
    cr_expect_str_eq(library.name, "card");
    cr_expect_str_eq(library.plugin.version, "1.2.3");
    cr_expect_eq(library.plugin.size, sizeof(struct bp_plugin));
    arena_free(arena);
}

/* Rows of an older minor version are shorter: each is copied to where this server looks, what it lacks is zero. */
Test(library, shorter_rows)
{
    struct bp_arena *arena = arena_new();
    struct buffer why = {0};
    struct library library;
    cr_assert(library_open(TEST_PLUGIN_DIR, "old_rows", arena, &library, &why));
    const struct bp_route *routes = library.plugin.routes;
    cr_expect_str_eq(routes[0].path, "/old/one");
    cr_expect_str_eq(routes[1].path, "/old/two");
    cr_expect_str_eq(routes[1].name, "old.two");
    cr_expect_null(routes[1].doc);
    cr_expect_null(routes[1].params);
    cr_expect_eq(routes[1].body_limit, 0);
    cr_expect_eq(routes[2].size, 0);
    arena_free(arena);
}

static size_t copy(const char *from, const char *to, size_t most)
{
    static char bytes[1 << 20];
    int fd = open(from, O_RDONLY);
    cr_assert_geq(fd, 0);
    ssize_t len = read(fd, bytes, sizeof(bytes));
    close(fd);
    cr_assert_gt(len, 0);
    cr_assert_lt((size_t)len, sizeof(bytes));
    size_t size = (size_t)len < most ? (size_t)len : most;
    fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    return (size_t)len;
}

/* A file that lacks its end must be refused before it is mapped: its missing pages would be a SIGBUS. */
Test(library, truncated)
{
    char folder[] = "/tmp/backplane-test-XXXXXX", file[64], expected[128];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(file, sizeof(file), "%s/card.so", folder);
    size_t full = copy(TEST_PLUGIN_DIR "/card.so", file, SIZE_MAX);
    const size_t sizes[] = {64, 4096, full / 2, full - 1};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        copy(TEST_PLUGIN_DIR "/card.so", file, sizes[i]);
        char *why = refusal_in(folder, "card");
        snprintf(expected, sizeof(expected), "PLUGINS/card.so is truncated: it has %zu of %zu bytes", sizes[i], full);
        /* The segment headers, too, may be beyond the end; the section headers are the last bytes of the file. */
        cr_expect_str_eq(why, expected, "%s", why);
        free(why);
    }
    copy(TEST_PLUGIN_DIR "/card.so", file, 10);
    char *why = refusal_in(folder, "card");
    cr_expect_str_eq(why, "PLUGINS/card.so is truncated: 10 bytes are too few for a shared object", "%s", why);
    free(why);
    FILE *text = fopen(file, "w");
    cr_assert_not_null(text);
    fprintf(text, "%0100d", 0);
    fclose(text);
    why = refusal_in(folder, "card");
    cr_expect_str_eq(why, "PLUGINS/card.so is not a shared object", "%s", why);
    free(why);
    cr_assert_eq(unlink(file), 0);
    cr_assert_eq(mkdir(file, 0700), 0);
    why = refusal_in(folder, "card");
    cr_expect_str_eq(why, "PLUGINS/card.so is not a regular file", "%s", why);
    free(why);
    rmdir(file);
    rmdir(folder);
}

Test(library, names)
{
    struct bp_arena *arena = arena_new();
    size_t count = 0;
    const char **names = library_names(TEST_PLUGIN_DIR, arena, &count);
    cr_assert_not_null(names);
    cr_assert_geq(count, 30);
    cr_expect_null(names[count]);
    for (size_t i = 1; i < count; i++)
        cr_expect_lt(strcmp(names[i - 1], names[i]), 0, "%s before %s", names[i - 1], names[i]);
    cr_expect_str_eq(names[0], "bad_default");
    cr_expect_null(library_names("/nonexistent/folder", arena, &count));
    arena_free(arena);
}
