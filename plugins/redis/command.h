/* SPDX-License-Identifier: MIT */
/* Commands: put together from words, written in the order of a queue, answered in that order. */
#ifndef REDIS_COMMAND_H
#define REDIS_COMMAND_H

#include "backplane/wait.h"
#include "reply.h"

/* The words of a command while it is put together. Borrowed, except for keys. */
struct words {
    const char **ptr;
    size_t *len;
    size_t count;
    char *keys; /* where the next key goes */
};

/* Room for count words, among them keys of key_bytes together, prefixes included. 0 or BP_NOMEM. */
int words_init(struct words *words, size_t count, size_t key_bytes);
void words_deinit(struct words *words);
void words_add(struct words *words, bp_str word);
void words_add_key(struct words *words, bp_str prefix, bp_str key);

/* Who waits for an answer; on the stack of its fiber. */
struct call {
    bp_event done;
    int status;          /* other than 0: there will be no answer */
    struct reply *reply; /* owned by the caller */
    bool expired;
};

struct command {
    struct command *next;
    struct call *call; /* NULL: the caller has left, the answer is thrown away */
    bool repeatable;   /* may be sent again after its connection died: it changes nothing */
    bool repeated;
    bool offered;     /* bytes of it were given to the connection; it can no longer be taken back */
    bool written;     /* all of them */
    bp_span patience; /* how long the server may be silent over it */
    bp_time offered_at;
    char *bytes;
    size_t len;
};

/* BP_MISUSE: larger than the server takes. */
int command_new(const struct words *words, struct command **ret_command);
/* Accepts NULL, returns NULL. */
struct command *command_free(struct command *command);
/* Tells the caller, if one is left, that there will be no answer, and frees it. */
void command_fail(struct command *command, int status);

struct command_queue {
    struct command *head, *tail;
    size_t len;
};
void queue_add(struct command_queue *queue, struct command *command);
/* The oldest, or NULL. */
struct command *queue_take(struct command_queue *queue);
/* False when it is not in the queue. */
bool queue_remove(struct command_queue *queue, struct command *command);
/* All of more, in their order, before what is in the queue. more is empty then. */
void queue_prepend(struct command_queue *queue, struct command_queue *more);

#endif
