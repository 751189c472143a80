/* SPDX-License-Identifier: MIT */
#include "tests/support/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THINGS_MAX = 128, FOLDER_SIZE = 64, TREE_MAX = 512, PATIENCE = 200, STEP_MILLISECONDS = 10 };

struct thing {
    pid_t pid; /* 0: a folder */
    bool there;
    char folder[FOLDER_SIZE];
};

static int pipe_end = -1;
static pid_t owner;

bool watcher_exists(pid_t pid)
{
    char path[64], state = 'Z';
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    (void)!fscanf(file, "%*d (%*[^)]) %c", &state);
    fclose(file);
    return state != 'Z' && state != 'X';
}

size_t watcher_tree(pid_t pid, pid_t *ret_pids, size_t max)
{
    size_t count = 0;
    if (max > 0)
        ret_pids[count++] = pid;
    for (size_t i = 0; i < count; i++) {
        char path[64];
        int child;
        snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)ret_pids[i], (int)ret_pids[i]);
        FILE *file = fopen(path, "re");
        while (file && count < max && fscanf(file, "%d", &child) == 1)
            ret_pids[count++] = child;
        if (file)
            fclose(file);
    }
    return count;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    (void)remove(path);
    return 0;
}

/* A stopped process takes its SIGQUIT when it goes on; who does not heed that is killed. */
static void end_process(pid_t pid)
{
    pid_t pids[TREE_MAX];
    size_t count = watcher_tree(pid, pids, TREE_MAX);
    if (!watcher_exists(pid))
        return;
    kill(pid, SIGQUIT);
    for (size_t i = 0; i < count; i++)
        kill(pids[i], SIGCONT);
    for (int i = 0; i < PATIENCE && watcher_exists(pid); i++)
        (void)poll(NULL, 0, STEP_MILLISECONDS);
    for (size_t i = 0; i < count && watcher_exists(pid); i++)
        kill(pids[i], SIGKILL);
}

static bool same(const struct thing *a, const struct thing *b)
{
    return a->pid == b->pid && strcmp(a->folder, b->folder) == 0;
}

static void clean_up(const struct thing *things, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (things[i].pid)
            end_process(things[i].pid);
    for (size_t i = 0; i < count; i++) /* what is ending may write yet another file */
        for (int n = 0; !things[i].pid && n < PATIENCE && access(things[i].folder, F_OK) == 0; n++) {
            (void)nftw(things[i].folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
            (void)poll(NULL, 0, STEP_MILLISECONDS);
        }
}

static void watch(int fd)
{
    struct thing things[THINGS_MAX], thing;
    size_t count = 0;
    ssize_t n;
    while ((n = read(fd, &thing, sizeof(thing))) == (ssize_t)sizeof(thing) || (n < 0 && errno == EINTR)) {
        if (n < 0)
            continue;
        size_t i = 0;
        while (i < count && !same(&things[i], &thing))
            i++;
        if (thing.there && i == count && count < THINGS_MAX)
            things[count++] = thing;
        else if (!thing.there && i < count)
            things[i] = things[--count];
    }
    clean_up(things, count);
}

void watcher_begin(void)
{
    int ends[2];
    if (owner == getpid())
        return;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    pid_t pid = fork();
    if (pid == 0) {
        /* A child of nobody, of no terminal and no process group: what ends the test does not end it. */
        setsid();
        if (fork() != 0)
            _exit(0);
        signal(SIGPIPE, SIG_IGN);
        dup2(ends[0], 0);
        (void)close_range(1, ~0u, 0);
        watch(0);
        _exit(0);
    }
    (void)waitpid(pid, NULL, 0);
    close(ends[0]);
    if (pipe_end >= 0)
        close(pipe_end); /* that of the process we were forked from */
    pipe_end = ends[1];
    owner = getpid();
}

static void tell(const struct thing *thing)
{
    watcher_begin();
    (void)!write(pipe_end, thing, sizeof(*thing));
}

void watcher_process(pid_t pid, bool there)
{
    const struct thing thing = {.pid = pid, .there = there};
    tell(&thing);
}

void watcher_folder(const char *folder, bool there)
{
    struct thing thing = {.there = there};
    snprintf(thing.folder, sizeof(thing.folder), "%s", folder);
    tell(&thing);
}
