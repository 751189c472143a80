/* SPDX-License-Identifier: MIT */
/*
 * Threads that write and read one account's todos on connections that stay, at one server or several over one database, and check that every
 * read sees all that was acknowledged before it began.
 */
#ifndef SUPPORT_TODO_LOAD_H
#define SUPPORT_TODO_LOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { TODO_LOAD_THREADS = 16, TODO_LOAD_PORTS = 4 };

struct todo_load {
    int ports[TODO_LOAD_PORTS];
    unsigned port_count;
    const char *who; /* "Authorization: ...\r\n" */
    pthread_t threads[TODO_LOAD_THREADS];
    unsigned thread_count;
    _Atomic bool stop;
    _Atomic unsigned started;
    /* What was seen. */
    _Atomic unsigned acknowledged; /* todos that were created */
    _Atomic unsigned updated;      /* the number in the title of the one that is updated; its last acknowledged */
    _Atomic unsigned reads, hits, stale, refused; /* refused: not 200 or 201, or a connection lost */
    _Atomic unsigned wrong;
    char problem[512]; /* the first */
    char target[96];   /* of the todo that is updated */
};

/* writers create todos, and one of them updates one; readers ask for the list, for that todo, and for conditions. Each goes from server to server. */
void todo_load_start(struct todo_load *load, const int *ports, unsigned port_count, const char *who, unsigned writers,
                     unsigned readers);
/* A moment. */
void todo_load_wait(void);
void todo_load_stop(struct todo_load *load);

#endif
