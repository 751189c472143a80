/* SPDX-License-Identifier: MIT */
#include "events_site.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/service.h"

#define CONFIG                                                                                                       \
    "server: { listen = ( { address = \"${HOST}:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 2;\n"        \
    "  job_workers = 1; log_level = \"info\"; write_timeout = \"60s\"; plugin_path = \"" BACKPLANE_BUILD_ROOT        \
    "/tests/http\"; };\n"                                                                                            \
    "plugins: ( { use = \"health\"; }, { use = \"auth\"; secret = \"the-same-secret-on-both-of-them-0123456\"; },\n" \
    "  { use = \"todos\"; }, { use = \"lists\"; }, { use = \"metrics\"; }, { use = \"observer\"; },\n"               \
    "  { use = \"events\"; poll = \"20ms\"; measure = \"50ms\"; %s },\n"                                             \
    "  { use = \"sqlite\"; name = \"main\"; unless = \"DATABASE_URL\"; file = \"todo.db\"; },\n"                     \
    "  { use = \"postgres\"; name = \"main\"; when = \"DATABASE_URL\"; url = \"${DATABASE_URL}\"; migrate = true;\n" \
    "    direct_url = \"${DIRECT_URL}\"; } );\n"                                                                     \
    "pipelines: { api = ( \"auth\" ); rest = (); };\n"                                                               \
    "routes: ( { match = \"/api/v1/auth/sign-up\"; pipeline = \"rest\"; },\n"                                        \
    "  { match = \"/api/v1/auth/login\"; pipeline = \"rest\"; }, { match = \"/api/v1/*\"; pipeline = \"api\"; },\n"  \
    "  { match = \"/*\"; pipeline = \"rest\"; } );\n"

enum { PATIENCE = 20000 };

struct test_server site;
char *ada, *bob;

static void start_on(struct test_server *server, const char *options, const char *folder, const struct test_server *of)
{
    char config[4096];
    snprintf(config, sizeof(config), CONFIG, options);
    server_start(server,
                 &(struct server_options){.config = config, .folder = folder, .database = true, .replica_of = of});
}

void site_start_with(const char *options, const char *folder)
{
    start_on(&site, options, folder, NULL);
}

void site_start_replica(struct test_server *replica)
{
    cr_assert(site.database[0]);
    start_on(replica, "", NULL, &site);
}

void site_log_in(void)
{
    free(ada);
    free(bob);
    ada = http_login(site.port, "ada@example.com");
    bob = http_login(site.port, "bob@example.com");
}

void site_start(void)
{
    site_start_with("", NULL);
    site_log_in();
}

void site_stop(void)
{
    free(ada);
    free(bob);
    ada = bob = NULL;
    server_stop(&site);
}

json_t *site_call(const char *who, const char *method, const char *target, const char *headers, const char *body,
                  unsigned status)
{
    struct http_reply reply;
    char lines[2048];
    snprintf(lines, sizeof(lines), "%s%s", who ? who : "", headers ? headers : "");
    http_call(site.port, method, target, lines, body, &reply);
    cr_assert_eq(reply.status, status, "%s %s %s: %u %s", method, target, body ? body : "", reply.status, reply.body);
    json_t *root = http_json(&reply);
    http_reply_free(&reply);
    return root;
}

void site_do(const char *who, const char *method, const char *target, const char *body, unsigned status)
{
    json_decref(site_call(who, method, target, NULL, body, status));
}

void site_add(const char *who, const char *target, const char *body, char ret_id[40])
{
    json_t *root = site_call(who, "POST", target, NULL, body, 201);
    snprintf(ret_id, 40, "%s", http_json_text(root, "data.id"));
    json_decref(root);
}

void site_age(void)
{
    database_execute(&site, database_kind() == DATABASE_SQLITE ? "UPDATE events SET at = 0"
                                                               : "UPDATE events SET at = 'epoch'");
}

bool site_shows(const char *line)
{
    struct http_reply reply;
    http_call(site.port, "GET", "/metrics", NULL, NULL, &reply);
    bool found = strstr(reply.body, line) != NULL;
    http_reply_free(&reply);
    return found;
}

void site_await_metric(const char *line)
{
    for (long long begun = 0; !site_shows(line);)
        cr_assert(service_patience(&begun, PATIENCE), "%s", line);
}

int site_command(const char *arguments, char *ret_output, size_t size)
{
    char command[2048];
    size_t len = 0;
    snprintf(command, sizeof(command),
             "HOST=127.0.0.1 PORT=%d BACKPLANE_DATA='%s' DATABASE_URL='%s' DIRECT_URL='%s' " BACKPLANE_BUILD_ROOT
             "/backplane -c '%s/test.cfg' %s 2>&1",
             site.port, site.folder, site.database, site.database, site.folder, arguments);
    FILE *out = popen(command, "r"); // NOLINT(cert-env33-c): constants and a folder of the test's
    cr_assert(out);
    for (size_t got = 1; got > 0; len += got)
        got = fread(ret_output + len, 1, size - 1 - len, out);
    ret_output[len] = '\0';
    return pclose(out);
}

static void path_of(const char *name, char ret_path[128])
{
    snprintf(ret_path, 128, "%s/%s", site.folder, name);
}

void site_touch(const char *name)
{
    char path[128];
    path_of(name, path);
    FILE *file = fopen(path, "w");
    cr_assert(file && fclose(file) == 0);
}

void site_remove(const char *name)
{
    char path[128];
    path_of(name, path);
    cr_assert_eq(unlink(path), 0);
}

void site_await_file(const char *name)
{
    char path[128];
    path_of(name, path);
    for (long long begun = 0; access(path, F_OK) != 0;)
        cr_assert(service_patience(&begun, PATIENCE), "%s was never there", name);
}

long long site_observed(const char *name)
{
    char sql[128];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM observed WHERE name = '%s'", name);
    return database_integer(&site, sql);
}

void site_await(const char *name, long long count)
{
    for (long long begun = 0; site_observed(name) < count;)
        cr_assert(service_patience(&begun, PATIENCE), "%s: %lld of %lld", name, site_observed(name), count);
    cr_assert_eq(site_observed(name), count, "%s: %lld of %lld", name, site_observed(name), count);
}

static void keep(void *argument, const char *first, const char *second)
{
    struct site_events *events = argument;
    struct site_event *event = &events->items[events->len];
    cr_assert_lt(events->len, SITE_EVENTS_MAX);
    cr_assert_eq(sscanf(first, "%lld %31s %39s", &event->position, event->type, event->subject), 3, "%s", first);
    event->data = json_loads(second, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    cr_assert(json_is_object(event->data), "%s", second);
    events->len++;
}

void site_read(struct site_events *ret_events)
{
    *ret_events = (struct site_events){.items = calloc(SITE_EVENTS_MAX, sizeof(*ret_events->items))};
    database_each(&site,
                  "SELECT position || ' ' || type || ' ' || subject, data FROM observed WHERE name = 'first' ORDER BY"
                  " position",
                  keep, ret_events);
}

void site_events_free(struct site_events *events)
{
    for (size_t i = 0; i < events->len; i++)
        json_decref(events->items[i].data);
    free(events->items);
}

bool site_same(const json_t *a, const json_t *b)
{
    const char *name;
    json_t *value;
    if (json_is_number(a) && json_is_number(b))
        return fabs(json_number_value(a) - json_number_value(b)) < 1e-9 * fabs(json_number_value(a)) + 1e-9;
    if (!json_is_object(a) || !json_is_object(b))
        return json_equal(a, b);
    if (json_object_size(a) != json_object_size(b))
        return false;
    json_t *members = (json_t *)(uintptr_t)a;
    json_object_foreach(members, name, value)
    {
        if (!site_same(value, json_object_get(b, name)))
            return false;
    }
    return true;
}
