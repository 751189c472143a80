/* SPDX-License-Identifier: MIT */
#include "letter.h"

#include <time.h>

#define PREFIX "Reminder: "
#define CUT "\xe2\x80\xa6" /* … */

/* In one line: control characters become spaces. */
static bp_str one_line(bp_str text, struct bp_arena *arena)
{
    bp_str copy = bp_arena_copy(arena, text);
    char *at = (char *)(uintptr_t)copy.ptr;
    for (size_t i = 0; at && i < copy.len; i++)
        if ((unsigned char)at[i] < ' ' || at[i] == 0x7f)
            at[i] = ' ';
    return copy;
}

bp_str letter_subject(const struct todo *todo, struct bp_arena *arena)
{
    const size_t room = LETTER_SUBJECT_MAX - strlen(PREFIX);
    bp_str title = one_line(todo->title, arena);
    if (!title.ptr)
        return title;
    if (title.len <= room)
        return bp_arena_printf(arena, PREFIX "%" BP_STR_FMT, BP_STR_ARG(title));
    title = bp_utf8_cut(title, room - strlen(CUT));
    return bp_arena_printf(arena, PREFIX "%" BP_STR_FMT CUT, BP_STR_ARG(title));
}

/* "Tuesday, 1 December 2026, 17:00 UTC" */
static bp_str when(bp_date date, struct bp_arena *arena)
{
    static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
    static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                         "July",    "August",   "September", "October", "November", "December"};
    time_t seconds = (time_t)(date >= 0 ? date / 1000 : (date - 999) / 1000);
    struct tm tm = {0};
    (void)gmtime_r(&seconds, &tm);
    return bp_arena_printf(arena, "%s, %d %s %d, %02d:%02d UTC", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
                           tm.tm_year + 1900, tm.tm_hour, tm.tm_min);
}

bp_str letter_text(const struct todo *todo, bp_str link, struct bp_arena *arena)
{
    char id[BP_UUID_LEN];
    bp_str title = one_line(todo->title, arena), due = BP_STR(""), follow = BP_STR("");
    bp_uuid_format(&todo->id, id);
    if (todo_has(todo, "due_at")) {
        bp_str date = when(todo->due_at, arena);
        due = bp_arena_printf(arena, "\nDue: %" BP_STR_FMT "\n", BP_STR_ARG(date));
    }
    if (link.len > 0)
        follow = bp_arena_printf(arena, "\n%" BP_STR_FMT "%.*s\n", BP_STR_ARG(link), (int)BP_UUID_LEN, id);
    if (!title.ptr || !due.ptr || !follow.ptr)
        return bp_str_n(NULL, 0);
    return bp_arena_printf(arena, "You wanted to be reminded of:\n\n    %" BP_STR_FMT "\n%" BP_STR_FMT "%" BP_STR_FMT,
                           BP_STR_ARG(title), BP_STR_ARG(due), BP_STR_ARG(follow));
}
