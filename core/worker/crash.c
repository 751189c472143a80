/* SPDX-License-Identifier: MIT */
/* Everything here runs in a signal handler: no malloc, no stdio, no locks of ours. */
#include "core/worker/crash.h"

#include <execinfo.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "backplane/clock.h"
#include "backplane/shared.h"
#include "backplane/str.h"
#include "core/base/log.h"
#include "core/base/sanitize.h"
#include "core/error/errors.h"
#include "core/plugin/hooks.h"
#include "core/worker/suspend.h"

#define FRAMES 48

static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
static _Alignas(16) char handler_stack[128 * 1024];
static bool json;

struct line {
    char text[1024];
    size_t len;
};

static void add_raw(struct line *line, bp_str text)
{
    size_t room = sizeof(line->text) - 4 - line->len; /* the end of the line always fits */
    if (text.len > room)
        text.len = room;
    memcpy(line->text + line->len, text.ptr, text.len);
    line->len += text.len;
}

/* Bytes that would need an escape are written as '?': better than to be clever while dying. */
static void add_text(struct line *line, bp_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        add_raw(line, bp_str_n(c < ' ' || c > '~' || c == '"' || c == '\\' ? "?" : &c, 1));
    }
}

static void add_field(struct line *line, const char *name, bp_str value)
{
    if (value.len == 0)
        return;
    add_raw(line, json ? BP_STR(",\"") : BP_STR(" "));
    add_raw(line, bp_str_of(name));
    add_raw(line, json ? BP_STR("\":\"") : BP_STR("=\""));
    add_text(line, value);
    add_raw(line, BP_STR("\""));
}

static bp_str number(uint64_t value, char room[20])
{
    char *at = room + 20;
    do
        *--at = (char)('0' + value % 10);
    while (value /= 10);
    return bp_str_n(at, (size_t)(room + 20 - at));
}

static void begin(struct line *line, const char *event, const char *message)
{
    char date[BP_DATE_LEN], digits[20];
    bp_date_format(bp_date_now(), date);
    add_raw(line, json ? BP_STR("{\"time\":\"") : BP_STR(""));
    add_raw(line, bp_str_n(date, BP_DATE_LEN));
    add_raw(line, json ? BP_STR("\",\"level\":\"error\",\"event\":\"") : BP_STR(" error "));
    add_raw(line, bp_str_of(event));
    add_raw(line, json ? BP_STR("\",\"message\":\"") : BP_STR(": "));
    add_raw(line, bp_str_of(message));
    add_raw(line, json ? BP_STR("\"") : BP_STR(""));
    add_field(line, "process", bp_str_of(log_process()));
    add_raw(line, json ? BP_STR(",\"pid\":") : BP_STR(" pid="));
    add_raw(line, number((uint64_t)getpid(), digits));
}

static void end(struct line *line)
{
    ssize_t written;
    line->text[line->len++] = json ? '}' : '\n';
    if (json)
        line->text[line->len++] = '\n';
    written = write(STDERR_FILENO, line->text, line->len);
    (void)written;
}

static void add_place(struct line *line)
{
    struct fiber_place place = fiber_place();
    const struct bp_fiber *fiber = fiber_current();
    add_field(line, "plugin", bp_str_of(place.plugin));
    add_field(line, "hook", bp_str_of(place.hook));
    if (fiber)
        add_field(line, "fiber", bp_str_of(fiber_name(fiber)));
    if (place.route)
        add_field(line, "route", bp_str_of(place.route));
    if (log_request_id)
        add_field(line, "request_id", log_request_id());
}

/* For the table of errors; the supervisor counts it. */
static void leave_words(void)
{
    struct fiber_place place = fiber_place();
    errors_crashing(bp_worker_slot(), bp_str_of(place.plugin), bp_str_of(place.route),
                    log_request_id ? log_request_id() : bp_str_n(NULL, 0));
}

/* The names of the frames come from the dynamic linker, which may be in a bad state: last, and on lines of their own. */
static void write_backtrace(void)
{
    void *frames[FRAMES];
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES), STDERR_FILENO);
}

static void crashed(int number_of_signal, siginfo_t *info, void *context)
{
    static atomic_flag reported = ATOMIC_FLAG_INIT;
    const char *name = sigabbrev_np(number_of_signal);
    bool overflow = number_of_signal == SIGSEGV && info->si_code > 0 && fiber_in_guard(info->si_addr);
    struct line line = {.len = 0};
    (void)context;
    /* A second thread that fails waits for the first one's report to end the process. */
    while (atomic_flag_test_and_set(&reported))
        pause();
    begin(&line, "worker.crashed", overflow ? "Crashed: stack overflow" : "Crashed");
    add_raw(&line, json ? BP_STR(",\"signal\":\"SIG") : BP_STR(" signal=\"SIG"));
    add_raw(&line, bp_str_of(name));
    add_raw(&line, BP_STR("\""));
    add_place(&line);
    end(&line);
    leave_words();
    hooks_fault(fiber_place().plugin, FAULT_CRASH);
    write_backtrace();
    signal(number_of_signal, SIG_DFL);
    /* A fault comes again by itself when the handler returns, in its own place; what was sent must be sent again. */
    if (info->si_code <= 0)
        raise(number_of_signal);
}

/* Writes the stack of the calling thread to standard error (event "worker.stalled"). Async-signal-safe. */
static void crash_handler_dump(void)
{
    struct line line = {.len = 0};
    begin(&line, "worker.stalled", "Stalled");
    add_place(&line);
    end(&line);
    hooks_fault(fiber_place().plugin, FAULT_STALL);
    write_backtrace();
}

static void asked(int number_of_signal)
{
    (void)number_of_signal;
    crash_handler_dump();
}

void crash_handler_install(void)
{
    void *frame;
    struct sigaction fault = {.sa_sigaction = crashed, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction dump = {.sa_handler = asked, .sa_flags = SA_ONSTACK | SA_RESTART};
    const stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof(handler_stack)};
    json = log_is_json();
    /* The first backtrace() loads libgcc, which must not happen in a handler. */
    backtrace(&frame, 1);
    sigaltstack(&stack, NULL);
    sigfillset(&fault.sa_mask);
    sigaction(SIGUSR2, &dump, NULL);
    if (SANITIZE_ADDRESS || SANITIZE_THREAD)
        return;
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
        sigaction(fatal[i], &fault, NULL);
}
