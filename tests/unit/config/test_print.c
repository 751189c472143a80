/* SPDX-License-Identifier: MIT */
#include "core/config/print.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static bool is_secret(void *argument, const char *instance, const char *option)
{
    (void)argument;
    return strcmp(instance, "auth") == 0 && (strcmp(option, "pepper") == 0 || strcmp(option, "oauth.client") == 0);
}

/* On the heap. */
static char *print(const struct config *config)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    cr_assert_not_null(out);
    cr_assert_eq(config_print(config, is_secret, NULL, out), 0);
    fclose(out);
    return text;
}

Test(config_print, hides_and_says_where)
{
    static const char text[] =
        "server: { workers = \"${CONFIG_TEST_WORKERS}\"; };\n"
        "plugins: ( { use = \"auth\"; when = \"CONFIG_TEST_WORKERS\"; secret = \"${CONFIG_TEST_SECRET}\"; pepper = "
        "\"hunter2\";\n"
        "  oauth = { client = \"hunter3\"; id = \"me\"; }; file = \"${file:secret.txt}\"; text = \"a\\\"\\\\$$\\n\";\n"
        "  n = ( 1, 5000000000L, 0.5, 2.0, false ); url = \"redis://u:hunter5@h/0\"; missing = "
        "\"${CONFIG_TEST_UNSET}\"; } );\n"
        "pipelines: { p = ( { use = \"auth\"; pepper = \"hunter6\"; } ); };\n"
        "routes: ( { match = \"/*\"; pipeline = \"p\"; unless = \"CONFIG_TEST_UNSET\"; } );";
    static const char expected[] =
        "plugins: (\n"
        "    { # a.cfg:2\n"
        "        use = \"auth\"; # a.cfg:2\n"
        "        secret = \"[secret]\"; # a.cfg:2, environment\n"
        "        pepper = \"[secret]\"; # a.cfg:2\n"
        "        oauth = { # a.cfg:3\n"
        "            client = \"[secret]\"; # a.cfg:3\n"
        "            id = \"me\"; # a.cfg:3\n"
        "        };\n"
        "        file = \"[secret]\"; # a.cfg:3\n"
        "        text = \"a\\\"\\\\$$\\x0a\"; # a.cfg:3\n"
        "        n = ( # a.cfg:4\n"
        "            1, # a.cfg:4\n"
        "            5000000000L, # a.cfg:4\n"
        "            0.5, # a.cfg:4\n"
        "            2.0, # a.cfg:4\n"
        "            false # a.cfg:4\n"
        "        );\n"
        "        url = \"redis://u:[secret]@h/0\"; # a.cfg:4\n"
        "        missing = \"${CONFIG_TEST_UNSET}\"; # a.cfg:4, not set in this environment\n"
        "    }\n"
        ");\n"
        "\n"
        "pipelines: {\n"
        "    p = ( # a.cfg:5\n"
        "        { # a.cfg:5\n"
        "            use = \"auth\"; # a.cfg:5\n"
        "            pepper = \"[secret]\"; # a.cfg:5\n"
        "        }\n"
        "    );\n"
        "};\n"
        "\n"
        "routes: (\n"
        "    { # a.cfg:6\n"
        "        match = \"/*\"; # a.cfg:6\n"
        "        pipeline = \"p\"; # a.cfg:6\n"
        "    }\n"
        ");\n";
    static const char *const sets[] = {"server.data=/srv", NULL};
    struct sandbox sandbox;
    struct loaded loaded;
    sandbox_enter(&sandbox);
    setenv("CONFIG_TEST_WORKERS", "2", 1);
    setenv("CONFIG_TEST_SECRET", "hunter1", 1);
    sandbox_write("secret.txt", "hunter4\n");
    load_text(&loaded, text, sets, true);
    cr_assert_eq(loaded.status, 0, "%s", loaded.problems);
    char *printed = print(loaded.config), *plugins = strstr(printed, "plugins: (");
    cr_assert_not_null(plugins);
    cr_expect_str_eq(plugins, expected);
    cr_expect_not_null(strstr(printed, "    workers = \"2\"; # a.cfg:1, environment\n"));
    cr_expect_not_null(strstr(printed, "    data = \"/srv\"; # --set\n"));
    cr_expect_not_null(strstr(printed, "    max_fields = 100; # default\n"));
    cr_expect_not_null(strstr(printed, "    listen = ( { address = \"127.0.0.1:3000\"; } ); # default\n"));
    cr_expect_null(strstr(printed, "hunter"));
    free(printed);
    unload(&loaded);
    sandbox_leave(&sandbox);
}

/* What was printed can be read again, and says the same. */
Test(config_print, is_a_configuration)
{
    static const char text[] =
        "server: { listen = ( { address = \"unix:/x\"; mode = \"0600\"; }, { address = \"*:80\"; } ); idle_timeout = "
        "3; };\n"
        "plugins: ( { use = \"a\"; text = \"$$ \\x01 \\\\ \\\" é\"; n = 0x7fffffffffL; f = 1.0e300; b = [ true, false "
        "]; } );\n"
        "pipelines: { p = ( \"a\" ); q = ( \"@p\", \"-a\" ); }; routes: ( { match = \"/*\"; pipeline = \"q\"; } );";
    struct sandbox sandbox;
    struct loaded loaded, again;
    sandbox_enter(&sandbox);
    load_text(&loaded, text, NULL, false);
    cr_assert_eq(loaded.status, 0, "%s", loaded.problems);
    char *printed = print(loaded.config);
    sandbox_write("again.cfg", printed);
    load_file(&again, "again.cfg", NULL, false);
    cr_assert_eq(again.status, 0, "%s\n%s", again.problems, printed);
    cr_expect(bp_str_eq(option_of(again.config, "a", "text")->text, option_of(loaded.config, "a", "text")->text));
    cr_expect_eq(option_of(again.config, "a", "n")->integer, INT64_C(0x7fffffffff));
    cr_expect_eq(option_of(again.config, "a", "f")->number, 1.0e300);
    cr_expect_eq(again.config->server.listen.len, 2);
    cr_expect_eq(again.config->server.idle_timeout, 3 * BP_SECOND);
    cr_expect_eq(again.config->pipelines[1].entries[1].kind, CONFIG_ENTRY_REMOVE);
    free(printed);
    unload(&again);
    unload(&loaded);
    sandbox_leave(&sandbox);
}

static const struct {
    const char *text, *hidden;
} texts[] = {
    {"", ""},
    {"plain", "plain"},
    {"http://host:80/a@b", "http://host:[secret]@b"}, /* rather too much than too little */
    {"http://host:80/", "http://host:80/"},
    {"http://user@host/", "http://user@host/"},
    {"redis://:pw@h:6379/0", "redis://:[secret]@h:6379/0"},
    {"postgres://u:p/w@x@h/db", "postgres://u:[secret]@h/db"},
    {"postgres://u:pw@h/db?password=other&x=1", "postgres://u:[secret]@h/db?password=[secret]&x=1"},
    {"host=h PassWord=pw user=u", "host=h PassWord=[secret] user=u"},
    {"http://a:b@c,http://d:e@f", "http://a:[secret]@c,http://d:[secret]@f"},
    {"://", "://"},
    {"://:@", "://:[secret]@"},
    {"password=", "password=[secret]"},
};

Test(config_print, passwords_in_urls)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct buffer out = {0};
        config_hide_passwords(bp_str_of(texts[i].text), &out);
        cr_expect(bp_str_is(buffer_str(&out), texts[i].hidden), "%s gave %" BP_STR_FMT, texts[i].text,
                  BP_STR_ARG(buffer_str(&out)));
        buffer_deinit(&out);
    }
}
