/* SPDX-License-Identifier: MIT */
/* Todos, as the database keeps them. Each belongs to an account; nobody else's account finds it. Every function suspends;
 * negative statuses are those of the database. */
#ifndef TODOS_TODO_H
#define TODOS_TODO_H

#include "backplane/iface/database.h"

struct todo {
    bp_uuid id;
    bp_str title;
    bool completed;
    bp_uuid user_id;
    bp_date created_at, updated_at;
};
/* For replies. */
extern const struct bp_field todo_fields[];

enum todo_condition {
    TODO_E_MISSING = 1, /* no such todo of this account */
    TODO_E_NO_ACCOUNT   /* the account is gone */
};

/* A row of a page. */
struct todo_listed {
    struct todo todo; /* the first member, so that todo_fields describe this struct too */
    int64_t total;    /* todos of the account */
};

struct todo_page {
    struct bp_array items; /* struct todo_listed, newest first; in the arena */
    int64_t total;
};

/* What an update changes; a pointer to nothing changes nothing. */
struct todo_change {
    const bp_str *title;
    const bool *completed;
};

/* 0 or TODO_E_NO_ACCOUNT. */
int todo_create(struct bp_service db, const struct todo *todo);
/* page and limit begin with 1; their product must fit int64_t. */
int todo_list(struct bp_service db, const bp_uuid *user_id, int64_t page, int64_t limit, struct bp_arena *arena,
              struct todo_page *ret_page);
/* 0 or TODO_E_MISSING. */
int todo_find(struct bp_service db, const bp_uuid *user_id, const bp_uuid *id, struct bp_arena *arena,
              struct todo *ret_todo);
/* Changes and reads back in one statement. updated_at always grows. 0 or TODO_E_MISSING. */
int todo_update(struct bp_service db, const bp_uuid *user_id, const bp_uuid *id, const struct todo_change *change,
                bp_date now, struct bp_arena *arena, struct todo *ret_todo);
/* 0 or TODO_E_MISSING. */
int todo_delete(struct bp_service db, const bp_uuid *user_id, const bp_uuid *id);

/* Pages that hold total items. */
int64_t todo_page_count(int64_t total, int64_t limit);

#endif
