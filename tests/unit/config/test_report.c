/* SPDX-License-Identifier: MIT */
#include "core/config/report.h"

#include <criterion/criterion.h>

static void expect_text(const struct report *report, const char *text)
{
    cr_expect(bp_str_is(buffer_str(&report->text), text), "%" BP_STR_FMT, BP_STR_ARG(buffer_str(&report->text)));
}

Test(config_report, forms)
{
    struct report report = {0};
    report_error(&report, NULL, 7, NULL, "no position");
    report_error(&report, "a.cfg", 0, NULL, "the %s", "file");
    report_error(&report, "a.cfg", 3, "server.workers", "is %d", 5);
    report_warning(&report, "a.cfg", 4, "x", "careful");
    report_error(&report, "a.cfg", 5, NULL, "line\nbreak %s", "\x1b[31m");
    expect_text(&report, "no position\na.cfg: the file\na.cfg:3: server.workers: is 5\na.cfg:4: warning: x: careful\n"
                         "a.cfg:5: line\\x0abreak \\x1b[31m\n");
    cr_expect_eq(report.errors, 4);
    cr_expect_eq(report.warnings, 1);
    report_deinit(&report);
    cr_expect_eq(report.errors, 0);
    cr_expect_null(report.text.ptr);
}

Test(config_report, sorted)
{
    struct report report = {0};
    report_file(&report, "main.cfg");
    report_file(&report, "b.cfg");
    report_error(&report, "b.cfg", 2, NULL, "fourth");
    report_error(&report, "--set", 0, NULL, "last");
    report_error(&report, "main.cfg", 10, NULL, "third");
    report_error(&report, "main.cfg", 9, NULL, "second");
    report_error(&report, "b.cfg", 2, NULL, "fifth");
    report_error(&report, NULL, 0, NULL, "first");
    report_sort(&report);
    const char *sorted =
        "first\nmain.cfg:9: second\nmain.cfg:10: third\nb.cfg:2: fourth\nb.cfg:2: fifth\n--set: last\n";
    expect_text(&report, sorted);
    report_sort(&report);
    expect_text(&report, sorted);
    report_error(&report, "main.cfg", 1, NULL, "new");
    report_sort(&report);
    expect_text(&report,
                "first\nmain.cfg:1: new\nmain.cfg:9: second\nmain.cfg:10: third\nb.cfg:2: fourth\nb.cfg:2: fifth\n"
                "--set: last\n");
    report_deinit(&report);
}
