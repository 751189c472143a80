/* SPDX-License-Identifier: MIT */
/* What who asked for it is shown of the log. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/plugin/assembly.h"

enum { FIELDS_SHOWN = 32 };

static struct bp_host first = {.name_str = BP_STR_INIT("first")}, second = {.name_str = BP_STR_INIT("second")};

/* Of the lines that came: all of them in words, and the last one's fields. */
struct seen {
    char text[1000];
    struct bp_log_field fields[FIELDS_SHOWN];
    char texts[FIELDS_SHOWN][64]; /* of those, when they are texts */
    uint32_t count;
};

static void see(void *argument, const struct bp_log_line *line)
{
    struct seen *seen = argument;
    size_t len = strlen(seen->text);
    cr_assert_eq(line->size, sizeof(*line));
    snprintf(seen->text + len, sizeof(seen->text) - len, "%u%s %s %s [%.*s] ", line->level, line->audit ? " audit" : "",
             line->event, line->message, BP_STR_ARG(line->plugin));
    seen->count = line->fields;
    cr_assert_leq(line->fields, FIELDS_SHOWN);
    for (uint32_t i = 0; i < line->fields; i++) {
        seen->fields[i] = line->field[i];
        if (line->field[i].kind == BP_LOG_STR)
            snprintf(seen->texts[i], sizeof(seen->texts[i]), "%.*s", BP_STR_ARG(line->field[i].str));
    }
}

static void setup(void)
{
    cr_assert_eq(dup2(open("/dev/null", O_WRONLY), STDERR_FILENO), STDERR_FILENO);
    log_setup(BP_LOG_INFO, LOG_JSON, "test");
}

TestSuite(log_hook, .init = setup);

Test(log_hook, lines_and_fields)
{
    struct seen seen = {.count = 0};
    cr_assert_eq(bp_on_log(&first, see, &seen), 0);
    bp_log(&second, BP_LOG_WARN, "a.b", "Something", bp_log_str("name", BP_STR("value")), bp_log_int("n", -3),
           bp_log_num("x", 0.5), bp_log_bool("yes", true), bp_log_cstr("reset_token", "tell nobody"));
    cr_expect_str_eq(seen.text, "2 a.b Something [second] ");
    cr_assert_eq(seen.count, 5);
    cr_expect_str_eq(seen.fields[0].name, "name");
    cr_expect_str_eq(seen.texts[0], "value");
    cr_expect(seen.fields[1].kind == BP_LOG_INT && seen.fields[1].integer == -3);
    cr_expect(seen.fields[2].kind == BP_LOG_NUM && seen.fields[2].number == 0.5);
    cr_expect(seen.fields[3].kind == BP_LOG_BOOL && seen.fields[3].integer == 1);
    cr_expect_str_eq(seen.texts[4], "[redacted]");
    /* Of the core; of the audit log, whatever the level; what is not written is not seen. */
    seen.text[0] = '\0';
    log_setup(BP_LOG_ERROR, LOG_JSON, "test");
    bp_log(NULL, BP_LOG_WARN, "a.b", "Something");
    bp_audit(NULL, "c.d", "Somebody");
    bp_log(NULL, BP_LOG_ERROR, "e.f", "Failed");
    cr_expect_str_eq(seen.text, "1 audit c.d Somebody [] 3 e.f Failed [] ");
    log_hooks_forget(&first);
}

Test(log_hook, more_fields_than_are_shown)
{
    struct seen seen = {.count = 0};
    struct bp_log_field fields[FIELDS_SHOWN + 2] = {{.name = NULL}};
    for (int i = 0; i < FIELDS_SHOWN + 1; i++)
        fields[i] = bp_log_int("n", i);
    cr_assert_eq(bp_on_log(&first, see, &seen), 0);
    bp_log_write(NULL, BP_LOG_ERROR, "a.b", "Much", fields);
    cr_expect_eq(seen.count, FIELDS_SHOWN);
    cr_expect_eq(seen.fields[FIELDS_SHOWN - 1].integer, FIELDS_SHOWN - 1);
    log_hooks_forget(&first);
}

static void see_and_write(void *argument, const struct bp_log_line *line)
{
    see(argument, line);
    bp_log(&first, BP_LOG_ERROR, "g.h", "Of the one who looks");
}

/* Each is shown each line once, but for what is written from within; until its instance is gone. */
Test(log_hook, several)
{
    struct seen one = {.count = 0}, two = {.count = 0};
    cr_assert_eq(bp_on_log(&first, see_and_write, &one), 0);
    cr_assert_eq(bp_on_log(&second, see, &two), 0);
    bp_log(NULL, BP_LOG_ERROR, "a", "A");
    cr_expect_str_eq(one.text, "3 a A [] ");
    cr_expect_str_eq(two.text, "3 a A [] ");
    log_hooks_forget(&first);
    cr_expect_not_null((void *)(uintptr_t)log_observer);
    bp_log(NULL, BP_LOG_ERROR, "b", "B");
    cr_expect_str_eq(one.text, "3 a A [] ");
    cr_expect_str_eq(two.text, "3 a A [] 3 b B [] ");
    log_hooks_forget(&second);
    cr_expect_null((void *)(uintptr_t)log_observer);
    bp_log(NULL, BP_LOG_ERROR, "c", "C");
    cr_expect_str_eq(two.text, "3 a A [] 3 b B [] ");
}
