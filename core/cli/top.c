/* SPDX-License-Identifier: MIT */
/* `backplane top`: asks once a second, and draws. Plain ANSI: any terminal will do. */
#include "core/cli/top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "core/cli/admin.h"

#define PERIOD BP_SECOND
#define ONCE_WIDTH 132u

static volatile sig_atomic_t ended;

static void end(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

/* Only so that poll() returns, and the frame is drawn in the new size. */
static void resized(int signal_number)
{
    (void)signal_number;
}

static bool take_sample(const struct sockaddr_un *address, struct top_sample *ret_sample, char error[256])
{
    json_t *status = cli_admin_ask(address, "status", CLI_ADMIN_SECONDS, error), *errors = NULL, *metrics = NULL;
    bool fine = status != NULL;

    if (fine)
        errors = cli_admin_ask(address, "errors", CLI_ADMIN_SECONDS, error);
    if (errors)
        metrics = cli_admin_ask(address, "metrics", CLI_ADMIN_SECONDS,
                                error); /* without (all workers are away) the rest is shown */
    if (fine && !top_sample_read(ret_sample, metrics ? cli_admin_text(metrics, "metrics") : "", status, errors)) {
        top_sample_deinit(ret_sample);
        (void)snprintf(error, 256, "out of memory");
        fine = false;
    }
    json_decref(metrics);
    return fine;
}

static int print_once(const struct sockaddr_un *address)
{
    struct top_sample before = {0}, now = {0};
    struct buffer out = {0};
    char error[256];

    bool fine = take_sample(address, &before, error);
    if (fine) {
        (void)poll(NULL, 0, (int)(PERIOD / BP_MILLISECOND));
        fine = take_sample(address, &now, error);
    }
    if (fine) {
        top_frame(&before, &now, ONCE_WIDTH, 0, &out);
        (void)fwrite(out.ptr, 1, out.len, stdout);
    } else {
        (void)fprintf(stderr, "backplane: %s\n", error);
    }
    buffer_deinit(&out);
    top_sample_deinit(&before);
    top_sample_deinit(&now);
    return fine ? CLI_OK : CLI_FAILED;
}

static void write_all(bp_str text)
{
    while (text.len > 0) {
        ssize_t n = write(STDOUT_FILENO, text.ptr, text.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            ended = 1; /* the terminal is gone */
            return;
        }
        text = bp_str_n(text.ptr + n, text.len - (size_t)n);
    }
}

/* Each line over the old one, without clearing before: nothing flickers. */
static void draw(bp_str frame)
{
    struct buffer out = {0};

    buffer_add(&out, BP_STR("\033[H"));
    while (frame.len > 0) {
        const char *line_end = memchr(frame.ptr, '\n', frame.len);
        size_t len = line_end ? (size_t)(line_end - frame.ptr) : frame.len;
        buffer_add(&out, bp_str_n(frame.ptr, len));
        buffer_add(&out, BP_STR("\033[K"));
        if (len + 1 < frame.len)
            buffer_add(&out, BP_STR("\r\n"));
        frame = len + 1 < frame.len ? bp_str_n(frame.ptr + len + 1, frame.len - len - 1) : bp_str_n(NULL, 0);
    }
    buffer_add(&out, BP_STR("\033[J"));
    if (!out.failed)
        write_all(buffer_str(&out));
    buffer_deinit(&out);
}

static void draw_sample(const struct top_sample *before, const struct top_sample *now, const char *error)
{
    struct winsize size = {.ws_col = 80, .ws_row = 24};
    struct buffer out = {0};

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        size = (struct winsize){.ws_col = 80, .ws_row = 24};
    if (now->at == 0)
        buffer_printf(&out, "%.*s\n", (int)size.ws_col, error);
    else
        top_frame(before->at != 0 ? before : NULL, now, size.ws_col, size.ws_row, &out);
    draw(buffer_str(&out));
    buffer_deinit(&out);
}

/* True when the one who looks has seen enough. Waits for a key until then, or a signal. */
static bool is_enough(bp_time until)
{
    struct pollfd keys = {.fd = STDIN_FILENO, .events = POLLIN};
    bp_time now = bp_clock();
    char key;

    if (ended)
        return true;
    int r = poll(&keys, 1, until <= now ? 0 : (int)((until - now) / BP_MILLISECOND) + 1);
    if (ended || r <= 0)
        return ended;
    return read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q';
}

static void watch(const struct sockaddr_un *address)
{
    struct top_sample before = {0}, now = {0};
    bp_time next = bp_clock();
    char error[256] = "";

    do {
        bp_time at = bp_clock();
        if (at >= next) {
            struct top_sample sample = {0};
            next = at + PERIOD;
            top_sample_deinit(&before);
            before = now;
            now = sample;
            if (take_sample(address, &sample, error))
                now = sample;
        }
        draw_sample(&before, &now, error);
    } while (!is_enough(next));
    top_sample_deinit(&before);
    top_sample_deinit(&now);
}

static int show(const struct sockaddr_un *address)
{
    struct sigaction on_end = {.sa_handler = end}, on_resize = {.sa_handler = resized};
    struct termios before, raw;

    if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) != 0) {
        fputs("backplane: top needs a terminal; top --once prints one frame\n", stderr);
        return CLI_FAILED;
    }
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    (void)sigaction(SIGINT, &on_end, NULL);
    (void)sigaction(SIGTERM, &on_end, NULL);
    (void)sigaction(SIGHUP, &on_end, NULL);
    (void)sigaction(SIGWINCH, &on_resize, NULL);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    write_all(BP_STR("\033[?1049h\033[?25l")); /* another screen, without a cursor */
    watch(address);
    write_all(BP_STR("\033[?25h\033[?1049l"));
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return CLI_OK;
}

int cli_top(const struct cli_options *options)
{
    struct sockaddr_un address;
    if (!cli_admin_find(options, &address))
        return CLI_FAILED;
    return options->once ? print_once(&address) : show(&address);
}
