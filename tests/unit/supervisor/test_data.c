/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backplane/status.h"
#include "core/supervisor/data.h"

static char folder[64], deep[96], file[128];

static void setup(void)
{
    strcpy(folder, "/tmp/bp-data-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(deep, sizeof(deep), "%s/a/b", folder);
    snprintf(file, sizeof(file), "%s/pid", deep);
}

static void teardown(void)
{
    char parent[96];
    snprintf(parent, sizeof(parent), "%s/a", folder);
    unlink(file);
    rmdir(deep);
    rmdir(parent);
    rmdir(folder);
}

TestSuite(data, .init = setup, .fini = teardown);

Test(data, the_folder_is_made_and_locked)
{
    struct buffer problems = {0};
    struct stat status;
    char text[32] = "", expected[32], message[256];
    int fd, second;

    cr_assert_eq(data_lock(bp_str_of(deep), &fd, &problems), 0);
    cr_assert_eq(stat(deep, &status), 0);
    cr_assert_eq(status.st_mode & 07777, 0700);
    cr_assert_gt(pread(fd, text, sizeof(text) - 1, 0), 0);
    snprintf(expected, sizeof(expected), "%d\n", (int)getpid());
    cr_assert_str_eq(text, expected);

    cr_assert_eq(data_lock(bp_str_of(deep), &second, &problems), BP_ERROR);
    snprintf(
        message, sizeof(message),
        "another server (pid %d) already runs on the data folder %s: stop it, or give this one a folder of its own "
        "(BACKPLANE_DATA)\n",
        (int)getpid(), deep);
    cr_assert(bp_str_is(buffer_str(&problems), message), "%.*s", (int)problems.len, problems.ptr);
    buffer_deinit(&problems);

    close(fd);
    struct buffer none = {0};
    cr_assert_eq(data_lock(bp_str_of(deep), &second, &none), 0);
    cr_assert_eq(none.len, 0);
    close(second);
}

Test(data, what_cannot_be_made_is_said)
{
    struct buffer problems = {0};
    char path[128], message[256];
    int fd = -1;

    FILE *blocker = fopen((snprintf(path, sizeof(path), "%s/file", folder), path), "w");
    cr_assert_not_null(blocker);
    fclose(blocker);
    snprintf(path, sizeof(path), "%s/file/data", folder);
    cr_assert_eq(data_lock(bp_str_of(path), &fd, &problems), BP_ERROR);
    snprintf(message, sizeof(message), "cannot make the data folder %s: Not a directory\n", path);
    cr_assert(bp_str_is(buffer_str(&problems), message), "%.*s", (int)problems.len, problems.ptr);
    buffer_deinit(&problems);
    cr_assert_eq(fd, -1);
    snprintf(path, sizeof(path), "%s/file", folder);
    unlink(path);
}
