/* SPDX-License-Identifier: MIT */
#include "core/cli/admin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/cli/load.h"
#include "core/supervisor/admin.h"

#define ANSWER_MAX ((size_t)32 << 20)

static bool fill(bp_str folder, struct sockaddr_un *ret_address)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int len = snprintf(address.sun_path, sizeof(address.sun_path), "%" BP_STR_FMT "/" ADMIN_SOCKET, BP_STR_ARG(folder));
    if (len < 0 || (size_t)len >= sizeof(address.sun_path)) {
        fputs("backplane: the data folder's name is too long for an admin socket\n", stderr);
        return false;
    }
    *ret_address = address;
    return true;
}

bool cli_admin_find(const struct cli_options *options, struct sockaddr_un *ret_address)
{
    struct config *config = cli_load_config(options, true);
    bool fine = config && fill(config->server.data, ret_address);
    config_free(config);
    return fine;
}

static int connect_to(const struct sockaddr_un *address, unsigned seconds)
{
    const struct timeval timeout = {.tv_sec = seconds};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == 0 &&
        connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
        return fd;
    int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

/* To the end; false: errno. */
static bool read_all(int fd, struct buffer *answer)
{
    for (;;) {
        if (answer->len > ANSWER_MAX || !buffer_reserve(answer, 65536)) {
            errno = EMSGSIZE;
            return false;
        }
        ssize_t n = recv(fd, answer->ptr + answer->len, answer->cap - answer->len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            return true;
        answer->len += (size_t)n;
    }
}

static json_t *parse(const struct buffer *answer, char error[CLI_ADMIN_ERROR])
{
    json_t *root = answer->len > 0 ? json_loadb(answer->ptr, answer->len, 0, NULL) : NULL;
    if (!root || *cli_admin_text(root, "error")) {
        (void)snprintf(error, CLI_ADMIN_ERROR, "the server answered: %s",
                       root ? cli_admin_text(root, "error") : "nothing");
        json_decref(root);
        return NULL;
    }
    return root;
}

json_t *cli_admin_ask(const struct sockaddr_un *address, const char *command, unsigned seconds,
                      char error[CLI_ADMIN_ERROR])
{
    struct buffer answer = {0};
    char line[64];
    json_t *root = NULL;
    int fd = connect_to(address, seconds);

    if (fd < 0) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            (void)snprintf(error, CLI_ADMIN_ERROR, "no server answers at %s", address->sun_path);
        else
            (void)snprintf(error, CLI_ADMIN_ERROR, "cannot connect to %s: %s", address->sun_path, strerror(errno));
        return NULL;
    }
    int len = snprintf(line, sizeof(line), "%s\n", command);
    if (send(fd, line, (size_t)len, MSG_NOSIGNAL) != len || !read_all(fd, &answer))
        (void)snprintf(error, CLI_ADMIN_ERROR, "the server at %s gave no answer: %s", address->sun_path,
                       strerror(errno));
    else
        root = parse(&answer, error);
    (void)close(fd);
    buffer_deinit(&answer);
    return root;
}

int cli_admin_show(const struct cli_options *options, const char *command, void (*print)(const json_t *answer))
{
    struct sockaddr_un address;
    char error[CLI_ADMIN_ERROR];

    if (!cli_admin_find(options, &address))
        return CLI_FAILED;
    json_t *answer = cli_admin_ask(&address, command, CLI_ADMIN_SECONDS, error);
    if (!answer) {
        (void)fprintf(stderr, "backplane: %s\n", error);
        return CLI_FAILED;
    }
    if (options->json) {
        (void)json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        putchar('\n');
    } else {
        print(answer);
    }
    json_decref(answer);
    return CLI_OK;
}

const char *cli_admin_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}
