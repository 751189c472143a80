/* SPDX-License-Identifier: MIT */
#include "reminders_site.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/http.h"

struct test_server site;
static char *ada;
static const char *const *begun_with;

static void begin(const char *folder)
{
    server_start(&site, &(struct server_options){
                            .environment = (const char *[]){"BACKPLANE_WORKERS=2", SECRET, "JOB_WORKERS=3", NULL},
                            .arguments = begun_with,
                            .folder = folder});
}

void site_start_with(const char *const *arguments)
{
    begun_with = arguments;
    begin(NULL);
    ada = http_login(site.port, "ada@example.com");
}

void site_start(void)
{
    static const char *const arguments[] = {"--set", "plugins.reminders.link=https://app.example.com/", NULL};
    site_start_with(arguments);
}

void site_stop(void)
{
    free(ada);
    server_stop(&site);
}

void site_restart(void)
{
    char folder[sizeof(site.folder)];
    server_kill(&site);
    memcpy(folder, site.folder, sizeof(folder));
    begin(folder);
}

json_t *site_call(const char *method, const char *target, const char *body, unsigned status)
{
    struct http_reply reply;
    http_call(site.port, method, target, ada, body, &reply);
    cr_assert_eq(reply.status, status, "%s %s %s: %u %s", method, target, body ? body : "", reply.status, reply.body);
    json_t *root = http_json(&reply);
    http_reply_free(&reply);
    return root;
}

void site_add(const char *body, char ret_id[40])
{
    json_t *root = site_call("POST", TODOS, body, 201);
    (void)snprintf(ret_id, 40, "%s", http_json_text(root, "data.id"));
    json_decref(root);
}

json_t *site_change(const char *id, const char *body)
{
    char path[80];
    (void)snprintf(path, sizeof(path), TODOS "/%s", id);
    return site_call(body ? "PATCH" : "DELETE", path, body, 200);
}

long long site_now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_REALTIME, &time);
    return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

const char *site_date(long long milliseconds, char space[32])
{
    struct tm tm;
    time_t seconds = (time_t)(milliseconds / 1000);
    (void)gmtime_r(&seconds, &tm);
    size_t len = strftime(space, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(space + len, 32 - len, ".%03dZ", (int)(milliseconds % 1000));
    return space;
}
