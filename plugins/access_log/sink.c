/* SPDX-License-Identifier: MIT */
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int open_path(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

int sink_open(struct sink *sink, const char *output, size_t buffer_size)
{
    *sink = (struct sink){.fd = -1, .cap = buffer_size};
    sink->buffer = malloc(buffer_size);
    if (!sink->buffer)
        return ENOMEM;
    if (strcmp(output, "stdout") == 0) {
        sink->fd = STDOUT_FILENO;
    } else if (strcmp(output, "stderr") == 0) {
        sink->fd = STDERR_FILENO;
    } else {
        sink->path = strdup(output);
        if (!sink->path)
            return ENOMEM;
        sink->fd = open_path(output);
        if (sink->fd < 0)
            return errno;
    }
    return 0;
}

static uint64_t count_lines(const char *text, size_t len)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    return lines;
}

int sink_flush(struct sink *sink)
{
    size_t done = 0;
    int error = 0;
    while (done < sink->len) {
        ssize_t n = write(sink->fd, sink->buffer + done, sink->len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            error = n < 0 ? errno : EIO;
            sink->dropped += count_lines(sink->buffer + done, sink->len - done);
            break;
        }
        done += (size_t)n;
    }
    sink->len = 0;
    return error;
}

void sink_add(struct sink *sink, bp_str line)
{
    if (sink->len + line.len > sink->cap)
        (void)sink_flush(sink); /* what was lost is in dropped */
    if (line.len > sink->cap) {
        sink->dropped++;
        return;
    }
    memcpy(sink->buffer + sink->len, line.ptr, line.len);
    sink->len += line.len;
}

int sink_reopen(struct sink *sink)
{
    if (!sink->path)
        return 0;
    int fd = open_path(sink->path);
    if (fd < 0)
        return errno;
    (void)sink_flush(sink);
    close(sink->fd);
    sink->fd = fd;
    return 0;
}

void sink_close(struct sink *sink)
{
    if (sink->fd >= 0)
        (void)sink_flush(sink);
    if (sink->path && sink->fd >= 0)
        close(sink->fd);
    free(sink->path);
    free(sink->buffer);
    *sink = (struct sink){.fd = -1};
}
