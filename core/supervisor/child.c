/* SPDX-License-Identifier: MIT */
#include "core/supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

/*
 * argv: a name for ps, "_worker", "_jobs" or "_check", "slot:control:memory:supervisor[:listener…]" (a listener is its
 * descriptor, with a "p" behind it when it speaks the PROXY protocol, and "=name" when it has one), the configuration file, the instances
 * that are left out, and what --set said. Not for users, hence the underscore; a newer executable must read an older one's.
 */
#define FIXED 5
#define TITLE "backplane: "

static const char *const words[] = {[CHILD_CHECK] = "_check", [CHILD_WORKER] = "_worker", [CHILD_JOBS] = "_jobs"};

static void keep_open(int fd)
{
    if (fd >= 0)
        (void)fcntl(fd, F_SETFD, 0);
}

/* By its name: so a reload takes up a new version of it, and tools can run the program inside of their own (valgrind). */
static void execute(char **arguments)
{
    static const char replaced[] = " (deleted)"; /* what proc(5) says of a file that another one took the place of */
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (len > 0) {
        path[len] = '\0';
        if ((size_t)len > strlen(replaced) && strcmp(path + len - strlen(replaced), replaced) == 0)
            path[(size_t)len - strlen(replaced)] = '\0';
        (void)execv(path, arguments);
    }
    (void)execv("/proc/self/exe", arguments);
}

static void __attribute__((noreturn)) become(const struct child *child, char **arguments)
{
    sigset_t none;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != child->supervisor)
        _exit(1); /* it died before the line above */
    for (int signal_number = 1; signal_number < NSIG; signal_number++)
        (void)signal(signal_number, SIG_DFL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    keep_open(child->control_fd);
    keep_open(child->memory_fd);
    for (unsigned i = 0; i < child->listen_count; i++)
        keep_open(child->listen_fds[i]);
    execute(arguments);
    _exit(127);
}

const char *child_title(enum child_kind kind)
{
    return kind == CHILD_JOBS ? "jobs worker" : "worker";
}

pid_t child_spawn(const struct child *child, const struct config_load_options *options)
{
    char name[40], facts[64 + LISTENERS_MAX * (13 + CONFIG_NAME_MAX + 2)];
    int at;
    char **arguments = calloc(FIXED + options->set_count + 1, sizeof(*arguments));

    if (!arguments)
        return -1;
    if (child->kind == CHILD_CHECK)
        (void)snprintf(name, sizeof(name), TITLE "check");
    else
        (void)snprintf(name, sizeof(name), TITLE "%s %u", child_title(child->kind), child->index + 1);
    at = snprintf(facts, sizeof(facts), "%u:%d:%d:%d", child->slot, child->control_fd, child->memory_fd,
                  (int)child->supervisor);
    for (unsigned i = 0; i < child->listen_count; i++)
        at +=
            snprintf(facts + at, sizeof(facts) - (size_t)at, ":%d%s%s%s", child->listen_fds[i],
                     child->listen_proxied[i] ? "p" : "", child->listen_names[i][0] ? "=" : "", child->listen_names[i]);
    arguments[0] = name;
    arguments[1] = (char *)(uintptr_t)words[child->kind]; /* execv() changes none of them */
    arguments[2] = facts;
    arguments[3] = (char *)(uintptr_t)(options->file ? options->file : "");
    arguments[4] = (char *)(uintptr_t)(options->without ? options->without : "");
    for (size_t i = 0; i < options->set_count; i++)
        arguments[FIXED + i] = (char *)(uintptr_t)options->sets[i];

    pid_t pid = fork();
    if (pid == 0)
        become(child, arguments);
    int error = errno;
    free(arguments);
    errno = error;
    return pid;
}

static bool next_number(const char **at, long *ret_number)
{
    char *end;
    if (**at == '\0')
        return false;
    *ret_number = strtol(*at, &end, 10);
    if (end == *at || (*end != ':' && *end != '\0'))
        return false;
    *at = *end == ':' ? end + 1 : end;
    return true;
}

/* "7", "7p", "7=metrics", "7p=metrics" */
static bool next_listener(const char **at, struct child *child)
{
    char *end;
    unsigned index = child->listen_count;
    long fd = strtol(*at, &end, 10);
    bool proxied = end > *at && *end == 'p';
    if (end == *at || index == LISTENERS_MAX)
        return false;
    end += proxied;
    if (*end == '=') {
        bp_str name = bp_str_n(end + 1, strcspn(end + 1, ":"));
        if (!config_name_valid(name))
            return false;
        memcpy(child->listen_names[index], name.ptr, name.len);
        end += 1 + name.len;
    }
    if (*end != ':' && *end != '\0')
        return false;
    *at = end + (*end == ':');
    child->listen_fds[index] = (int)fd;
    child->listen_proxied[index] = proxied;
    child->listen_count++;
    return true;
}

bool child_parse(int argc, char **argv, struct child *ret_child, struct config_load_options *ret_options)
{
    struct child child = {0};
    long slot, control_fd, memory_fd, supervisor;

    if (argc < FIXED)
        return false;
    while (strcmp(argv[1], words[child.kind]) != 0)
        if (child.kind++ == CHILD_JOBS)
            return false;
    const char *at = argv[2];
    if (!next_number(&at, &slot) || !next_number(&at, &control_fd) || !next_number(&at, &memory_fd) ||
        !next_number(&at, &supervisor) || slot < 0)
        return false;
    child.slot = (unsigned)slot;
    child.title = strncmp(argv[0], TITLE, strlen(TITLE)) == 0 ? argv[0] + strlen(TITLE) : argv[0];
    child.control_fd = (int)control_fd;
    child.memory_fd = (int)memory_fd;
    child.supervisor = (pid_t)supervisor;
    while (next_listener(&at, &child))
        ;
    *ret_child = child;
    *ret_options = (struct config_load_options){.file = argv[3][0] ? argv[3] : NULL,
                                                .without = argv[4][0] ? argv[4] : NULL,
                                                .sets = (const char *const *)(argv + FIXED),
                                                .set_count = (size_t)(argc - FIXED)};
    return true;
}
