/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/worker/crash.h"
#include "core/worker/fiber.h"
#include "tests/unit/worker/support.h"

TestSuite(crash, .init = worker_setup, .fini = worker_teardown);

static bp_str some_request_id(void)
{
    return BP_STR("req-\"1\n");
}

/* Runs function on a fiber of a child with the handler installed; gives what it wrote and its wait status. */
static const char *crash_child(fiber_function *function, bool on_fiber, enum log_format format, int *ret_status)
{
    static char text[20000];
    size_t len = 0;
    ssize_t got;
    int ends[2];
    pid_t child;
    cr_assert_eq(pipe(ends), 0);
    child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        struct fiber_start start = {.function = function, .deadline = BP_FOREVER, .name = "request"};
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        dup2(ends[1], STDERR_FILENO);
        log_setup(BP_LOG_INFO, format, "worker 1");
        log_request_id = some_request_id;
        crash_handler_install();
        if (on_fiber)
            fiber_start(loop, &start, NULL);
        else
            function(NULL);
        _exit(0);
    }
    close(ends[1]);
    while (len < sizeof(text) - 1 && (got = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)got;
    text[len] = '\0';
    close(ends[0]);
    cr_assert_eq(waitpid(child, ret_status, 0), child);
    return text;
}

static void enter(void)
{
    fiber_enter((struct fiber_place){.plugin = "todos", .hook = "handler", .route = "/api/v1/todos/{id}"});
}

static volatile unsigned char sink;

static __attribute__((noinline)) unsigned overflow(unsigned level)
{
    volatile unsigned char frame[1000];
    frame[level % sizeof(frame)] = (unsigned char)level;
    sink = frame[0];
    return level == 0 ? 0 : overflow(level + 1) + frame[level % sizeof(frame)];
}

static void overflows(void *argument)
{
    (void)argument;
    enter();
    sink = (unsigned char)overflow(1);
}

/* One frame larger than the guard: stack-clash protection touches every page on the way. */
static __attribute__((noinline)) unsigned large_frame(size_t at)
{
    volatile unsigned char frame[600000];
    frame[at] = 1;
    return frame[at / 2];
}

static volatile size_t somewhere = 5; /* a constant would let clang drop the array */

static void overflows_at_once(void *argument)
{
    (void)argument;
    enter();
    sink = (unsigned char)large_frame(somewhere);
}

static volatile int *volatile nowhere;

static void faults(void *argument)
{
    (void)argument;
    enter();
    *nowhere = 1;
}

static void aborts(void *argument)
{
    (void)argument;
    abort();
}

static void is_sent_a_signal(void *argument)
{
    (void)argument;
    raise(SIGFPE);
}

#define HEAD                                                                                   \
    "{\"time\":\"2026-11-22T19:55:02.123Z\",\"level\":\"error\",\"event\":\"worker.crashed\"," \
    "\"message\":\"Crashed"

static const struct {
    const char *name;
    fiber_function *function;
    bool on_fiber;
    int signal;
    const char *begins, *contains;
} cases[] = {
    {"overflow", overflows, true, SIGSEGV, HEAD ": stack overflow\",\"process\":\"worker 1\",\"pid\":",
     ",\"signal\":\"SIGSEGV\",\"plugin\":\"todos\",\"hook\":\"handler\",\"fiber\":\"request\","
     "\"route\":\"/api/v1/todos/{id}\",\"request_id\":\"req-?1?\"}\n"},
    {"one large frame", overflows_at_once, true, SIGSEGV, HEAD ": stack overflow\",", "\"plugin\":\"todos\""},
    {"fault on a fiber", faults, true, SIGSEGV,
     HEAD "\",\"process\":", "\"plugin\":\"todos\",\"hook\":\"handler\",\"fiber\""},
    {"fault on the loop's stack", faults, false, SIGSEGV,
     HEAD "\",\"process\":", ",\"plugin\":\"todos\",\"hook\":\"handler\",\"route\""},
    {"abort", aborts, true, SIGABRT, HEAD "\",\"process\":", ",\"signal\":\"SIGABRT\",\"fiber\":\"request\""},
    {"signal sent", is_sent_a_signal, true, SIGFPE,
     HEAD "\",\"process\":", ",\"signal\":\"SIGFPE\",\"fiber\":\"request\""},
};

Test(crash, last_words)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int status;
        const char *text = crash_child(cases[i].function, cases[i].on_fiber, LOG_JSON, &status);
        cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == cases[i].signal, "%s: status %x", cases[i].name, status);
        cr_assert_eq(strncmp(text, cases[i].begins, strlen(cases[i].begins)), 0, "%s: %s", cases[i].name, text);
        cr_assert(strstr(text, cases[i].contains), "%s: %s", cases[i].name, text);
        cr_assert(strchr(strchr(text, '\n') + 1, '['), "%s: a backtrace follows: %s", cases[i].name, text);
    }
}

static void asks_for_a_dump(void *argument)
{
    (void)argument;
    enter();
    raise(SIGUSR2);
    raise(SIGUSR2);
}

Test(crash, a_dump_goes_on)
{
    int status;
    const char *text = crash_child(asks_for_a_dump, true, LOG_TEXT, &status);
    const char *head = "2026-11-22T19:55:02.123Z error worker.stalled: Stalled process=\"worker 1\" pid=";
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", status);
    cr_assert_eq(strncmp(text, head, strlen(head)), 0, "%s", text);
    cr_assert(strstr(text, " plugin=\"todos\" hook=\"handler\" fiber=\"request\" route=\"/api/v1/todos/{id}\" "
                           "request_id=\"req-?1?\"\n"),
              "%s", text);
    cr_assert(strstr(strchr(text, '\n'), head), "the second one too: %s", text);
}
