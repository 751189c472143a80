/* SPDX-License-Identifier: MIT */
#include "backplane/status.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *written, *expected;
    bool environment, secret;
} values[] = {
    {"plain", "plain", false, false},
    {"", "", false, false},
    {"a$$b$$$$", "a$b$$", false, false},
    {"$${SET}", "${SET}", false, false},
    {"${SET}", "value", true, false},
    {"<${SET}|${SET}>", "<value|value>", true, false},
    {"${SET:-other}", "value", true, false},
    {"${EMPTY}", "", true, false},
    {"${EMPTY:-other}", "other", true, false},
    {"${UNSET:-other}", "other", true, false},
    {"${UNSET:-}", "", true, false},
    {"${UNSET:-a:-b$$}", "a:-b$", true, false},
    {"${UNSET:-${UNSET2:-${SET}}!}", "value!", true, false},
    {"${UNSET:-{}}", "{}", true, false},
    {"${DOLLARS}", "$SET ${SET} $$", true, false},
    {"${SET}ms", "valuems", true, false},
    {"${MY_SECRET}", "s1", true, true},
    {"${UNSET:-${api_key}}", "s2", true, true},
    {"${TOKENS:-x}", "x", true, true},
    {"${DB_PASSWORD:-x}", "x", true, true},
    {"${file:newline.txt}", "text", false, true},
    {"${file:crlf.txt}", "text", false, true},
    {"${file:newlines.txt}", "a\nb\n", false, true},
    {"${file:none.txt}", "", false, true},
    {"<${file:link}>", "<text>", false, true},
    {"${file:dollar.txt}", "${SET}", false, true},
    {"${MOUNTED}", "text", true, true},
    {"<${MOUNTED:-other}>", "<text>", true, true},
    {"${MOUNTED_EMPTY:-other}", "other", true, true},
    {"${MOUNTED_EMPTY}", "", true, true},
    {"${EMPTY_BESIDE}", "${SET}", true, true},
    {"${SET_ALONE}", "alone", true, false},
};

static void write_case(char *text, size_t size, const char *written)
{
    snprintf(text, size, "plugins: ( { use = \"a\"; v = \"%s\"; } );", written);
}

Test(config_substitute, values)
{
    struct sandbox sandbox;
    struct loaded loaded;
    sandbox_enter(&sandbox);
    setenv("SET", "value", 1);
    setenv("EMPTY", "", 1);
    setenv("DOLLARS", "$SET ${SET} $$", 1);
    setenv("MY_SECRET", "s1", 1);
    setenv("api_key", "s2", 1);
    setenv("MOUNTED_FILE", "newline.txt", 1);
    setenv("MOUNTED_EMPTY_FILE", "none.txt", 1);
    setenv("EMPTY_BESIDE", "", 1);
    setenv("EMPTY_BESIDE_FILE", "dollar.txt", 1);
    setenv("SET_ALONE", "alone", 1);
    setenv("SET_ALONE_FILE", "", 1);
    sandbox_write("newline.txt", "text\n");
    sandbox_write("crlf.txt", "text\r\n");
    sandbox_write("newlines.txt", "a\nb\n\n");
    sandbox_write("none.txt", "");
    sandbox_write("dollar.txt", "${SET}");
    cr_assert_eq(symlink("newline.txt", "link"), 0);
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        char text[256];
        write_case(text, sizeof(text), values[i].written);
        load_text(&loaded, text, NULL, false);
        cr_expect_eq(loaded.status, 0, "%s: %s", values[i].written, loaded.problems);
        if (loaded.config) {
            const struct config_setting *setting = option_of(loaded.config, "a", "v");
            cr_expect(bp_str_is(setting->text, values[i].expected), "%s gave %s", values[i].written, setting->text.ptr);
            cr_expect_eq(setting->from_environment, values[i].environment, "%s", values[i].written);
            cr_expect_eq(setting->from_secret, values[i].secret, "%s", values[i].written);
            cr_expect_not(setting->missing_environment);
        }
        unload(&loaded);
    }
    sandbox_leave(&sandbox);
}

/* A FIFO must not block, and a secret's text must not get into a message. */
Test(config_substitute, files_that_are_refused, .timeout = 10)
{
    struct sandbox sandbox;
    struct loaded loaded;
    sandbox_enter(&sandbox);
    cr_assert_eq(mkfifo("fifo", 0600), 0);
    sandbox_write("large.txt", "");
    cr_assert_eq(truncate("large.txt", 64 * 1024 + 1), 0);
    sandbox_write("secret.txt", "hunter2");
    load_text(&loaded,
              "server: { workers = \"${file:secret.txt}\"; };\n"
              "plugins: ( { use = \"a\"; x = \"${file:fifo}\";\n y = \"${file:large.txt}\"; } );",
              NULL, false);
    cr_expect_eq(loaded.status, BP_INVALID);
    cr_expect_str_eq(loaded.problems, "a.cfg:1: server.workers: must be an integer from 0 to 48\n"
                                      "a.cfg:2: plugins.a.x: cannot read \"fifo\": not a regular file\n"
                                      "a.cfg:3: plugins.a.y: cannot read \"large.txt\": too large\n");
    unload(&loaded);
    sandbox_leave(&sandbox);
}

/* Even where a missing variable is none: somebody has said where it is. */
Test(config_substitute, mounted_files_that_are_refused)
{
    struct sandbox sandbox;
    struct loaded loaded;
    sandbox_enter(&sandbox);
    setenv("GONE_FILE", "/no/such/file", 1);
    setenv("TWICE", "hunter2", 1);
    setenv("TWICE_FILE", "newline.txt", 1);
    sandbox_write("newline.txt", "hunter3\n");
    for (int lenient = 0; lenient < 2; lenient++) {
        load_text(&loaded,
                  "plugins: ( { use = \"a\"; x = \"${GONE}\";\n y = \"${GONE:-default}\";\n z = \"${TWICE}\"; },\n"
                  "{ use = \"b\"; when = \"GONE\"; x = \"${GONE}\"; },\n"
                  "{ use = \"c\"; unless = \"GONE\"; x = \"${GONE}\"; } );",
                  NULL, lenient != 0);
        cr_expect_eq(loaded.status, BP_INVALID);
        cr_expect_str_eq(
            loaded.problems,
            "a.cfg:1: plugins.a.x: cannot read \"/no/such/file\", which GONE_FILE names: No such file or directory\n"
            "a.cfg:2: plugins.a.y: cannot read \"/no/such/file\", which GONE_FILE names: No such file or directory\n"
            "a.cfg:3: plugins.a.z: TWICE and TWICE_FILE are both set\n"
            "a.cfg:4: plugins.b.x: cannot read \"/no/such/file\", which GONE_FILE names: No such file or directory\n");
        unload(&loaded);
    }
    sandbox_leave(&sandbox);
}

Test(config_substitute, lenient_leaves_placeholders)
{
    struct sandbox sandbox;
    struct loaded loaded;
    sandbox_enter(&sandbox);
    load_text(
        &loaded,
        "server: { workers = \"${UNSET}\"; data = \"${UNSET}/x\"; listen = ( { address = \"${UNSET}:1\"; } ); };\n"
        "plugins: ( { use = \"a\"; x = \"${UNSET}\"; list = ( \"${UNSET}\" ); y = \"${UNSET:-2}\"; } );",
        NULL, true);
    cr_assert_eq(loaded.status, 0, "%s", loaded.problems);
    cr_expect_eq(loaded.config->server.workers, 0);
    cr_expect(option_of(loaded.config, "a", "x")->missing_environment);
    cr_expect(bp_str_is(option_of(loaded.config, "a", "x")->text, "${UNSET}"));
    cr_expect(option_of(loaded.config, "a", "list")->items[0].missing_environment);
    cr_expect_not(option_of(loaded.config, "a", "y")->missing_environment);
    unload(&loaded);
    sandbox_leave(&sandbox);
}
