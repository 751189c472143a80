/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "core/supervisor/child.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Test(child, arguments_are_understood)
{
    char *argv[] = {"backplane: worker 4", "_worker", "3:5:6:1234:7p=metrics:8:9=inside:10p", "a.cfg", "one,two",
                    "server.workers=2",    "a.b=c"};
    struct child child;
    struct config_load_options options;

    cr_assert(child_parse(COUNT(argv), argv, &child, &options));
    cr_assert_eq(child.kind, CHILD_WORKER);
    cr_assert_eq(child.slot, 3);
    cr_assert_str_eq(child.title, "worker 4");
    cr_assert_eq(child.control_fd, 5);
    cr_assert_eq(child.memory_fd, 6);
    cr_assert_eq(child.supervisor, 1234);
    cr_assert_eq(child.listen_count, 4);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(child.listen_fds[i], 7 + i);
        cr_assert_eq(child.listen_proxied[i], i % 3 == 0);
        cr_assert_str_eq(child.listen_names[i], i == 0 ? "metrics" : i == 2 ? "inside" : "");
    }
    cr_assert_str_eq(options.file, "a.cfg");
    cr_assert_eq(options.set_count, 2);
    cr_assert_str_eq(options.sets[1], "a.b=c");
    cr_assert_str_eq(options.without, "one,two");
    cr_assert_not(options.lenient_environment);
}

Test(child, one_for_jobs_is_told_apart)
{
    char *argv[] = {"backplane: jobs worker 1", "_jobs", "3:5:6:1234:7", "a.cfg", ""};
    struct child child;
    struct config_load_options options;

    cr_assert(child_parse(COUNT(argv), argv, &child, &options));
    cr_assert_eq(child.kind, CHILD_JOBS);
    cr_assert_str_eq(child.title, "jobs worker 1");
}

Test(child, a_check_inherits_nothing)
{
    char *argv[] = {"backplane: check", "_check", "0:-1:-1:99", "", ""};
    struct child child;
    struct config_load_options options;

    cr_assert(child_parse(COUNT(argv), argv, &child, &options));
    cr_assert_eq(child.kind, CHILD_CHECK);
    cr_assert_eq(child.control_fd, -1);
    cr_assert_eq(child.listen_count, 0);
    cr_assert_null(options.file);
    cr_assert_null(options.without);
    cr_assert_eq(options.set_count, 0);
}

Test(child, what_a_user_types_is_no_child)
{
    char *cases[][5] = {{"backplane", "run", "-c", "a.cfg", ""},
                        {"backplane", "_worker", "x", "a.cfg", ""},
                        {"backplane", "_worker", "1:2:3", "a.cfg", ""},
                        {"backplane", "_worker", "-1:2:3:4", "a.cfg", ""},
                        {"backplane", "_worker", "1;2:3:4", "a.cfg", ""}};
    struct child child;
    struct config_load_options options;

    for (int i = 0; i < COUNT(cases); i++)
        cr_assert_not(child_parse(5, cases[i], &child, &options), "case %d", i);
    cr_assert_not(child_parse(4, (char *[]){"backplane", "_worker", "1:2:3:4", "a.cfg"}, &child, &options));
}
