/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <stdlib.h>

#include "backplane/status.h"

#define COMMAND_MAX (512u << 20) /* the server's own bound (proto-max-bulk-len) */

int words_init(struct words *words, size_t count, size_t key_bytes)
{
    size_t each = sizeof(*words->ptr) + sizeof(*words->len);
    if (count > (SIZE_MAX / 2 - 1) / each || key_bytes > SIZE_MAX / 2 - 1)
        return BP_NOMEM;
    words->ptr = malloc(count * each + key_bytes + 1);
    if (!words->ptr)
        return BP_NOMEM;
    words->len = (size_t *)(words->ptr + count);
    words->keys = (char *)(words->len + count);
    words->count = 0;
    return 0;
}

void words_deinit(struct words *words)
{
    free(words->ptr);
    words->ptr = NULL;
}

void words_add(struct words *words, bp_str word)
{
    words->ptr[words->count] = word.len ? word.ptr : "";
    words->len[words->count++] = word.len;
}

void words_add_key(struct words *words, bp_str prefix, bp_str key)
{
    bp_str whole = bp_str_n(words->keys, prefix.len + key.len);
    if (prefix.len > 0)
        memcpy(words->keys, prefix.ptr, prefix.len);
    if (key.len > 0)
        memcpy(words->keys + prefix.len, key.ptr, key.len);
    words->keys += whole.len;
    words_add(words, whole);
}

int command_new(const struct words *words, struct command **ret_command)
{
    size_t total = 0;
    /* hiredis adds up in ints. */
    for (size_t i = 0; i < words->count; i++) {
        if (words->len[i] > COMMAND_MAX || total > COMMAND_MAX || words->count > COMMAND_MAX / 32)
            return BP_MISUSE;
        total += words->len[i] + 32;
    }
    struct command *command = calloc(1, sizeof(*command));
    if (!command)
        return BP_NOMEM;
    int len = redisFormatCommandArgv(&command->bytes, (int)words->count, words->ptr, words->len);
    if (len < 0) {
        free(command);
        return BP_NOMEM;
    }
    command->len = (size_t)len;
    *ret_command = command;
    return 0;
}

struct command *command_free(struct command *command)
{
    if (command) {
        redisFreeCommand(command->bytes);
        free(command);
    }
    return NULL;
}

void command_fail(struct command *command, int status)
{
    if (command->call) {
        command->call->status = status;
        bp_event_set(&command->call->done);
    }
    command_free(command);
}

void queue_add(struct command_queue *queue, struct command *command)
{
    command->next = NULL;
    if (queue->tail)
        queue->tail->next = command;
    else
        queue->head = command;
    queue->tail = command;
    queue->len++;
}

struct command *queue_take(struct command_queue *queue)
{
    struct command *command = queue->head;
    if (!command)
        return NULL;
    queue->head = command->next;
    if (!queue->head)
        queue->tail = NULL;
    queue->len--;
    command->next = NULL;
    return command;
}

bool queue_remove(struct command_queue *queue, struct command *command)
{
    struct command *before = NULL;
    for (struct command *c = queue->head; c; before = c, c = c->next) {
        if (c != command)
            continue;
        if (before)
            before->next = c->next;
        else
            queue->head = c->next;
        if (queue->tail == c)
            queue->tail = before;
        queue->len--;
        c->next = NULL;
        return true;
    }
    return false;
}

void queue_prepend(struct command_queue *queue, struct command_queue *more)
{
    if (!more->head)
        return;
    more->tail->next = queue->head;
    if (!queue->tail)
        queue->tail = more->tail;
    queue->head = more->head;
    queue->len += more->len;
    *more = (struct command_queue){0};
}
