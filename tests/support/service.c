/* SPDX-License-Identifier: MIT */
#include "tests/support/service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/watcher.h"

enum { STOP_MILLISECONDS = 10000, POLL_MILLISECONDS = 2, DESCENDANTS_MAX = 512 };

void service_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

void service_fail_with_log(const char *what, const char *log)
{
    static char text[16384];
    FILE *file = fopen(log, "r");
    if (file) {
        if (fseek(file, -(long)sizeof(text) + 1, SEEK_END) != 0)
            rewind(file);
        text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
        fclose(file);
    }
    service_fail("%s; its log:\n%s", what, text);
}

void service_breathe(void)
{
    (void)poll(NULL, 0, POLL_MILLISECONDS);
}

long long service_milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void service_next_millisecond(void)
{
    struct timespec begun, now;
    clock_gettime(CLOCK_REALTIME, &begun);
    do
        clock_gettime(CLOCK_REALTIME, &now);
    while (now.tv_sec == begun.tv_sec && now.tv_nsec / 1000000 == begun.tv_nsec / 1000000);
}

bool service_patience(long long *begun, int milliseconds)
{
    if (*begun == 0)
        *begun = service_milliseconds();
    service_breathe();
    return service_milliseconds() - *begun < milliseconds;
}

static const struct passwd *account(void)
{
    const struct passwd *entry = geteuid() == 0 ? getpwnam("postgres") : getpwuid(geteuid());
    if (!entry)
        service_fail("there is no account for daemons (the package postgresql-15 makes \"postgres\")");
    return entry;
}

const char *service_account(void)
{
    return account()->pw_name;
}

void service_own(const char *path)
{
    const struct passwd *owner = account();
    if (geteuid() == 0 && chown(path, owner->pw_uid, owner->pw_gid) != 0)
        service_fail("cannot give %s away: %s", path, strerror(errno));
}

void service_folder(char ret_folder[SERVICE_FOLDER_SIZE])
{
    snprintf(ret_folder, SERVICE_FOLDER_SIZE, "/tmp/backplane-service-XXXXXX");
    if (!mkdtemp(ret_folder))
        service_fail("no folder %s: %s", ret_folder, strerror(errno));
    service_own(ret_folder);
    watcher_folder(ret_folder, true);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    (void)remove(path);
    return 0;
}

void service_folder_remove(const char *folder)
{
    (void)nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    watcher_folder(folder, false);
}

int service_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        service_fail("no free port: %s", strerror(errno));
    close(fd);
    return ntohs(address.sin_port);
}

bool service_reachable(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool fine = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    if (fd >= 0)
        close(fd);
    return fine;
}

pid_t service_spawn(const char *const *arguments, const char *log)
{
    const struct passwd *owner = account();
    bool change = geteuid() == 0;
    const struct rlimit no_core = {0};
    pid_t parent = getpid();
    watcher_begin();
    pid_t pid = fork();
    if (pid < 0)
        service_fail("no process: %s", strerror(errno));
    if (pid == 0) {
        sigset_t none;
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        if (change && (setgroups(0, NULL) != 0 || setgid(owner->pw_gid) != 0 || setuid(owner->pw_uid) != 0))
            _exit(126);
        (void)setrlimit(RLIMIT_CORE, &no_core);
        /* A change of the account clears it, so not before. Postgres calls this an immediate shutdown. */
        (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
        if (getppid() != parent || chdir("/tmp") != 0)
            _exit(126);
        dup2(null, STDIN_FILENO);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        execv(arguments[0], (char *const *)(const void *)arguments);
        (void)!write(fd, arguments[0], strlen(arguments[0]));
        (void)!write(fd, ": cannot be executed\n", 21);
        _exit(127);
    }
    watcher_process(pid, true);
    return pid;
}

bool service_alive(pid_t pid)
{
    int status;
    if (waitpid(pid, &status, WNOHANG) == 0)
        return true;
    watcher_process(pid, false);
    return false;
}

void service_run(const char *const *arguments, const char *log)
{
    int status;
    pid_t pid = service_spawn(arguments, log);
    pid_t ended = waitpid(pid, &status, 0);
    watcher_process(pid, false);
    if (ended != pid || status != 0)
        service_fail_with_log(arguments[0], log);
}

void service_stop(pid_t pid, int signal)
{
    long long end = service_milliseconds() + STOP_MILLISECONDS;
    kill(pid, signal);
    while (service_alive(pid)) {
        if (service_milliseconds() > end) {
            service_kill_all(pid);
            return;
        }
        service_breathe();
    }
}

void service_signal_all(pid_t pid, int signal)
{
    pid_t pids[DESCENDANTS_MAX];
    size_t count = watcher_tree(pid, pids, DESCENDANTS_MAX);
    for (size_t i = 0; i < count; i++)
        kill(pids[i], signal);
}

void service_kill_all(pid_t pid)
{
    pid_t pids[DESCENDANTS_MAX];
    kill(pid, SIGSTOP); /* so that it starts nobody meanwhile */
    size_t count = watcher_tree(pid, pids, DESCENDANTS_MAX);
    for (size_t i = 0; i < count; i++)
        kill(pids[i], SIGKILL);
    (void)waitpid(pid, NULL, 0);
    watcher_process(pid, false);
    for (size_t i = 1; i < count; i++)
        while (watcher_exists(pids[i]))
            service_breathe();
}
