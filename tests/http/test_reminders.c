/* SPDX-License-Identifier: MIT */
/* Reminders of todos at their time. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "mailbox.h"
#include "reminders_site.h"
#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/service.h"

/* {"title":…, "<member>":<so many milliseconds from now>} */
static const char *dated(const char *title, const char *member, long long from_now, char space[300])
{
    char text[32];
    (void)snprintf(space, 300, "{\"title\":\"%s\",\"%s\":\"%s\"}", title, member,
                   site_date(site_now() + from_now, text));
    return space;
}

/* The only reminder among the events shows the todo as GET does. */
static void expect_event(const char *id)
{
    char path[80], *text = database_ask(&site, "SELECT data FROM events WHERE type = 'todo.reminder'");
    (void)snprintf(path, sizeof(path), TODOS "/%s", id);
    json_t *root = site_call("GET", path, NULL, 200), *data = json_loads(text, 0, NULL);
    char *shown = json_dumps(json_object_get(root, "data"), 0);
    cr_assert(data, "%s", text);
    cr_expect(json_equal(data, json_object_get(root, "data")), "%s\n%s", text, shown);
    free(shown);
    free(text);
    json_decref(data);
    json_decref(root);
}

Test(reminders, at_their_time, .init = site_start, .fini = site_stop)
{
    struct mailbox box;
    char id[40], other[40], body[300], due[32], expected[400];
    long long at = site_now() + 700;
    (void)snprintf(body, sizeof(body),
                   "{\"title\":\"Gr\xc3\xbc\xc3\x9f"
                   "e an alle\",\"remindAt\":\"%s\",\"dueAt\":\"2030-12-24T17:00:00Z\"}",
                   site_date(at, due));
    site_add(body, id);
    mailbox_wait(&site, 1, &box);
    cr_expect_str_eq(box.mails[0].to, "ada@example.com");
    cr_expect_str_eq(box.mails[0].subject, "Reminder: Gr\xc3\xbc\xc3\x9f"
                                           "e an alle");
    (void)snprintf(expected, sizeof(expected),
                   "You wanted to be reminded of:\n\n    Gr\xc3\xbc\xc3\x9f"
                   "e an alle\n\nDue: Tuesday, 24 December 2030, "
                   "17:00 UTC\n\nhttps://app.example.com/%s\n",
                   id);
    cr_expect_str_eq(box.mails[0].text, expected);
    cr_expect_geq(box.mails[0].written, at - 20); /* file systems' clocks tick */
    database_wait(&site, "SELECT count(*) FROM events WHERE type = 'todo.reminder'", 1);
    expect_event(id);

    /* Written anew with the same time: not again. One without remindAt: when it is due. */
    json_decref(site_change(id, "{\"title\":\"Still there\"}"));
    site_add(dated("Due", "dueAt", 400, body), other);
    mailbox_wait(&site, 2, &box);
    cr_expect_eq(mailbox_count(&box, "Reminder: Due"), 1);
    /* Moved to a time that is still to come: again. */
    (void)snprintf(body, sizeof(body), "{\"remindAt\":\"%s\"}", site_date(site_now() + 400, due));
    json_decref(site_change(id, body));
    mailbox_wait(&site, 3, &box);
    cr_expect_eq(mailbox_count(&box, "Reminder: Still there"), 1);
    database_wait(&site, "SELECT count(*) FROM events WHERE type = 'todo.reminder'", 3);
    database_wait(&site, SCHEDULED, 0);
}

Test(reminders, moved_and_dropped, .init = site_start, .fini = site_stop)
{
    static const char *const drops[] = {"{\"completed\":true}", "{\"remindAt\":null}", NULL /* deleted */,
                                        "{\"remindAt\":\"2001-01-01T00:00:00Z\"}",
                                        "{\"title\":\"x\",\"completed\":true,\"remindAt\":null}"};
    struct mailbox box;
    char ids[5][40], id[40], body[300], text[32];
    for (size_t i = 0; i < 5; i++)
        site_add(dated("Never", "remindAt", DAY, body), ids[i]);
    database_wait(&site, SCHEDULED, 5);
    for (size_t i = 0; i < 5; i++) {
        json_decref(site_change(ids[i], drops[i]));
        database_wait(&site, SCHEDULED, (long long)(4 - i));
    }
    database_wait(&site, "SELECT count(*) FROM reminders", 0);

    /* Of a time that has passed when it is written, nobody is reminded; nor of what is completed from the beginning. */
    site_add(dated("Never", "remindAt", -DAY, body), id);
    (void)snprintf(body, sizeof(body), "{\"title\":\"Never\",\"completed\":true,\"remindAt\":\"%s\"}",
                   site_date(site_now() + DAY, text));
    site_add(body, id);
    /* Not completed after all: planned again. And brought forward. */
    json_decref(site_change(ids[0], "{\"title\":\"Opened again\",\"completed\":false}"));
    database_wait(&site, SCHEDULED, 1);
    (void)snprintf(body, sizeof(body), "{\"remindAt\":\"%s\"}", site_date(site_now() + 500, text));
    json_decref(site_change(ids[0], body));
    mailbox_wait(&site, 1, &box);
    cr_expect_str_eq(box.mails[0].subject, "Reminder: Opened again");
    database_wait(&site, SCHEDULED, 0);
    mailbox_read(&site, &box);
    cr_expect_eq(box.count, 1);
}

/* Many at one moment, and several to run them. */
Test(reminders, once)
{
    enum { MANY = 30 };
    struct mailbox box, others = {.count = 0};
    struct test_server replica;
    char id[40], body[300], title[32], text[32];
    site_start();
    bool shared = site.database[0] != '\0'; /* SQLite: three jobs workers of one server */
    if (shared)
        server_start(&replica,
                     &(struct server_options){.environment = (const char *[]){"BACKPLANE_WORKERS=1", SECRET, NULL},
                                              .replica_of = &site});
    const long long at = site_now() + 1500;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(body, sizeof(body), "{\"title\":\"Nr %d\",\"remindAt\":\"%s\"}", i, site_date(at, text));
        site_add(body, id);
    }
    database_wait(&site, "SELECT count(*) FROM events WHERE type = 'todo.reminder'", MANY);
    database_wait(&site, "SELECT count(*) FROM jobs WHERE kind = 'mailer.send' AND state = 'done'", MANY);
    mailbox_read(&site, &box);
    if (shared)
        mailbox_read(&replica, &others);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(title, sizeof(title), "Reminder: Nr %d", i);
        cr_expect_eq(mailbox_count(&box, title) + mailbox_count(&others, title), 1, "%s", title);
    }
    cr_expect_eq(box.count + others.count, MANY);
    if (shared)
        server_stop(&replica);
    site_stop();
}

Test(reminders, survive_the_server)
{
    struct mailbox box;
    char id[40], body[300];
    site_start_with((const char *[]){SOON_RESCUED, NULL});
    site_add(dated("After all", "remindAt", 1000, body), id); /* perhaps not even planned yet */
    site_restart();
    mailbox_wait(&site, 1, &box);
    cr_expect_str_eq(box.mails[0].subject, "Reminder: After all");
    database_wait(&site, SCHEDULED, 0);
    site_restart();
    site_add(dated("Fence", "remindAt", 500, body), id);
    mailbox_wait(&site, 2, &box);
    cr_expect_eq(box.count, 2);
    cr_expect_eq(mailbox_count(&box, "Reminder: Fence"), 1);
    site_stop();
}

/* Killed while they are sent, again and again: all of them, each once. */
Test(reminders, once_whatever_dies)
{
    enum { ROUNDS = 4, EACH = 12 };
    static struct mailbox box;
    char id[40], body[300], title[40];
    site_start_with((const char *[]){SOON_RESCUED, NULL});
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < EACH; i++) {
            (void)snprintf(title, sizeof(title), "%d of round %d", i, round);
            site_add(dated(title, "remindAt", 0, body), id);
        }
        for (long long begun = 0; round % 2 == 0 && database_integer(&site, "SELECT count(*) FROM events WHERE type = "
                                                                            "'todo.reminder'") < round * EACH + 1;)
            cr_assert(service_patience(&begun, 30000), "nothing is sent");
        site_restart();
    }
    mailbox_wait(&site, ROUNDS * EACH, &box);
    database_wait(&site, "SELECT count(*) FROM events WHERE type = 'todo.reminder'", ROUNDS * EACH);
    database_wait(&site, "SELECT count(*) FROM jobs WHERE kind = 'mailer.send' AND state = 'done'", ROUNDS * EACH);
    mailbox_read(&site, &box);
    cr_expect_eq(box.count, ROUNDS * EACH);
    for (int i = 0; i < ROUNDS * EACH; i++) {
        (void)snprintf(title, sizeof(title), "Reminder: %d of round %d", i % EACH, i / EACH);
        cr_expect_eq(mailbox_count(&box, title), 1, "%s", title);
    }
    site_stop();
}

/* Only events; and only to those who are to have messages. */
Test(reminders, as_configured)
{
    struct mailbox box;
    char id[40], body[300];
    site_start_with((const char *[]){"--set", "plugins.reminders.verified_only=true", "--set",
                                     "plugins.reminders.due=false", NULL});
    site_add(dated("Only due", "dueAt", DAY, body), id);
    site_add(dated("Not verified", "remindAt", 500, body), id);
    database_wait(&site, "SELECT count(*) FROM events WHERE type = 'todo.reminder'", 1);
    database_execute(&site, "UPDATE users SET email_verified_at = created_at");
    site_add(dated("Verified", "remindAt", 500, body), id);
    mailbox_wait(&site, 1, &box);
    cr_expect_str_eq(box.mails[0].subject, "Reminder: Verified");
    database_wait(&site, SCHEDULED, 0);
    site_stop();
}

/* Adds rows as they are after so many days; sent or not. */
static void add_rows(int count, int days, bool sent)
{
    char sql[400];
    const char *format =
        database_kind() == DATABASE_SQLITE
            ? "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO reminders "
              "SELECT '%d ' || i, at, CASE WHEN %d = 1 THEN at END FROM n, (SELECT (unixepoch() - %d * 86400) * 1000 "
              "AS at)"
            : "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO reminders "
              "SELECT '%d ' || i, at, CASE WHEN %d = 1 THEN at END FROM n, (SELECT now() - %d * interval '1 day' AS "
              "at) t";
    (void)snprintf(sql, sizeof(sql), format, count, 2 * days + sent, sent, days);
    database_execute(&site, sql);
}

/* What was sent is not sent again while a todo that is written anew may be reminded of that time; what was not, is not forgotten. */
Test(reminders, forgotten_when_they_are_past)
{
    enum { WEEK = 7 };
    char id[40], body[300];
    struct mailbox box;
    site_start_with((const char *[]){"--set", "plugins.reminders.late=7d", NULL});
    site_add(dated("Long sent", "remindAt", -6 * DAY, body), id);
    mailbox_wait(&site, 1, &box);
    database_wait(&site, SCHEDULED, 0);
    database_execute(&site, "UPDATE reminders SET sent_at = remind_at");
    add_rows(2500, WEEK + 31, true);
    add_rows(3, WEEK + 29, true);
    add_rows(4, WEEK + 366, false);
    add_rows(5, WEEK + 364, false);
    database_execute(&site, database_kind() == DATABASE_SQLITE
                                ? "UPDATE job_schedules SET next_at = 0 WHERE kind = 'reminders.clean'"
                                : "UPDATE job_schedules SET next_at = to_timestamp(0) WHERE kind = 'reminders.clean'");
    database_wait(&site, "SELECT count(*) FROM jobs WHERE kind = 'reminders.clean' AND state = 'done'", 1);
    cr_expect_eq(database_integer(&site, "SELECT count(*) FROM reminders"), 1 + 3 + 5);
    cr_expect_eq(database_integer(&site, "SELECT count(*) FROM reminders WHERE sent_at IS NULL"), 5);
    json_decref(site_change(id, "{\"title\":\"Not again\"}"));
    site_add(dated("Fence", "remindAt", 0, body), id);
    mailbox_wait(&site, 2, &box);
    cr_expect_eq(mailbox_count(&box, "Reminder: Fence"), 1);
    database_wait(&site, "SELECT count(*) FROM events WHERE type = 'todo.reminder'", 2);
    site_stop();
}
