/* SPDX-License-Identifier: MIT */
/*
 * Each tests/golden/config/NAME.cfg is broken; NAME.report is what is said about it, to the byte. Lines of the file that begin with "#env NAME=VALUE" and
 * "#set path=value" set up the case. With GOLDEN_UPDATE=1 the reports are written instead of compared.
 */
#include "backplane/status.h"
#include "build_info.h"
#include "core/config/config.h"
#include "core/config/source.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_LINES 16

struct golden {
    char *text;
    char *environment[MAX_LINES]; /* NAME=VALUE */
    size_t environment_count;
    const char *sets[MAX_LINES];
    size_t set_count;
};

static void read_directives(struct golden *golden, const char *file)
{
    size_t len = 0;
    const char *reason = NULL;
    golden->text = source_slurp(file, 1 << 20, &len, &reason);
    cr_assert_not_null(golden->text, "%s: %s", file, reason);
    for (char *line = golden->text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (strncmp(line, "#env ", 5) == 0 && golden->environment_count < MAX_LINES)
            golden->environment[golden->environment_count++] = line + 5;
        else if (strncmp(line, "#set ", 5) == 0 && golden->set_count < MAX_LINES)
            golden->sets[golden->set_count++] = line + 5;
    }
}

static void change_environment(const struct golden *golden, bool set)
{
    for (size_t i = 0; i < golden->environment_count; i++) {
        char *equals = strchr(golden->environment[i], '=');
        cr_assert_not_null(equals);
        *equals = '\0';
        if (set)
            setenv(golden->environment[i], equals + 1, 1);
        else
            unsetenv(golden->environment[i]);
        *equals = '=';
    }
}

static void compare(const char *file, const struct report *report)
{
    char expected_file[256];
    size_t len = 0;
    const char *reason = "";
    cr_assert_lt(snprintf(expected_file, sizeof(expected_file), "%.*sreport", (int)strlen(file) - 3, file),
                 (int)sizeof(expected_file));
    if (getenv("GOLDEN_UPDATE")) {
        FILE *out = fopen(expected_file, "w");
        cr_assert_not_null(out);
        fwrite(report->text.ptr, 1, report->text.len, out);
        fclose(out);
        return;
    }
    char *expected = source_slurp(expected_file, 1 << 20, &len, &reason);
    cr_expect_not_null(expected, "%s: %s", expected_file, reason);
    if (expected)
        cr_expect(bp_str_eq(buffer_str(&report->text), bp_str_n(expected, len)),
                  "%s\n--- expected\n%s--- reported\n%" BP_STR_FMT, file, expected,
                  BP_STR_ARG(buffer_str(&report->text)));
    free(expected);
}

static void check_case(const char *file)
{
    struct golden golden = {0};
    struct report report = {0};
    struct config *config = NULL;
    read_directives(&golden, file);
    change_environment(&golden, true);
    struct config_load_options options = {.file = file, .sets = golden.sets, .set_count = golden.set_count};
    cr_expect_eq(config_load(&options, &report, &config), BP_INVALID, "%s", file);
    cr_expect_null(config, "%s", file);
    cr_expect_gt(report.errors, 0, "%s", file);
    change_environment(&golden, false);
    compare(file, &report);
    report_deinit(&report);
    free(golden.text);
}

Test(config_golden, reports)
{
    glob_t cases = {0};
    cr_assert_eq(chdir(BACKPLANE_SOURCE_ROOT "/tests/golden/config"), 0);
    cr_assert_eq(glob("*.cfg", 0, NULL, &cases), 0);
    cr_assert_geq(cases.gl_pathc, 50, "only %zu cases were found", cases.gl_pathc);
    for (size_t i = 0; i < cases.gl_pathc; i++)
        check_case(cases.gl_pathv[i]);
    globfree(&cases);
}
