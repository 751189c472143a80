/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink.h"

static char folder[] = "/tmp/backplane-sink-XXXXXX", path[64], moved[64];
static struct sink sink;

static void set_up(void)
{
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/log", folder);
    snprintf(moved, sizeof(moved), "%s/log.1", folder);
    cr_assert_eq(sink_open(&sink, path, 64), 0);
}

static void tear_down(void)
{
    sink_close(&sink);
    unlink(path);
    unlink(moved);
    rmdir(folder);
}

static void expect_file(const char *file, const char *text)
{
    char content[256] = "";
    FILE *f = fopen(file, "r");
    cr_assert(f, "%s", file);
    content[fread(content, 1, sizeof(content) - 1, f)] = '\0';
    fclose(f);
    cr_expect_str_eq(content, text);
}

TestSuite(sink, .init = set_up, .fini = tear_down);

Test(sink, gathers_lines_until_they_are_flushed)
{
    struct stat status;
    sink_add(&sink, BP_STR("one\n"));
    expect_file(path, "");
    cr_assert_eq(sink_flush(&sink), 0);
    sink_add(&sink, BP_STR("two\n"));
    sink_flush(&sink);
    expect_file(path, "one\ntwo\n");
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 0777 & ~0640u, 0);
}

Test(sink, a_full_buffer_is_written_whole_lines_first)
{
    char line[41];
    memset(line, 'a', 40);
    line[39] = '\n';
    line[40] = '\0';
    sink_add(&sink, bp_str_n(line, 40));
    sink_add(&sink, bp_str_n(line, 40)); /* does not fit beside the first */
    expect_file(path, line);
    sink_add(&sink, bp_str_n("x", 65)); /* larger than the buffer */
    cr_expect_eq(sink.dropped, 1);
}

Test(sink, follows_a_rotation)
{
    sink_add(&sink, BP_STR("old\n"));
    cr_assert_eq(rename(path, moved), 0);
    cr_assert_eq(sink_reopen(&sink), 0);
    sink_add(&sink, BP_STR("new\n"));
    sink_flush(&sink);
    expect_file(moved, "old\n");
    expect_file(path, "new\n");
}

Test(sink, a_reopening_that_fails_keeps_the_old_file)
{
    cr_assert_eq(rename(path, moved), 0);
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_expect_eq(sink_reopen(&sink), EISDIR);
    sink_add(&sink, BP_STR("kept\n"));
    sink_flush(&sink);
    expect_file(moved, "kept\n");
    rmdir(path);
}

Test(sink, a_full_disk_drops_and_counts)
{
    struct sink full;
    cr_assert_eq(sink_open(&full, "/dev/full", 64), 0);
    sink_add(&full, BP_STR("a\nb\n"));
    cr_expect_eq(sink_flush(&full), ENOSPC);
    cr_expect_eq(full.dropped, 2);
    sink_add(&full, BP_STR("c\n"));
    cr_expect_eq(sink_flush(&full), ENOSPC);
    cr_expect_eq(full.dropped, 3);
    sink_close(&full);
}

Test(sink, a_path_that_cannot_be_opened)
{
    struct sink none;
    cr_expect_eq(sink_open(&none, "/nonexistent/log", 64), ENOENT);
    sink_close(&none);
}
