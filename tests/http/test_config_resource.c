/* SPDX-License-Identifier: MIT */
/* Resources that are made of their configuration alone. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "build_info.h"
#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

#define NOTES "/api/v1/notes"
#define SHIPPED "include = ( \"" BACKPLANE_SOURCE_ROOT "/config/backplane.cfg\" );\n"
#define EXAMPLE                                                                                             \
    "include = ( \"" BACKPLANE_SOURCE_ROOT "/docs/examples/resources/notes.cfg\", \"" BACKPLANE_SOURCE_ROOT \
    "/config/backplane.cfg\" );\n"
#define NOTES_OF(fields_, rest_)                                                                      \
    SHIPPED "plugins: ( { use = \"resource\"; name = \"notes\"; singular = \"note\"; path = \"" NOTES \
            "\"; fields = (\n" fields_ "); " rest_ " } );\n"

static struct test_server server;
static char folder[64], url[SERVER_URL_SIZE + 16], direct[SERVER_URL_SIZE + 16];
static char *ada, *bob;

/* `backplane <words>` with this configuration on this test's database: its exit code, and what it says. */
static int command(const char *config, const char *words, char *ret_output, size_t size)
{
    char path[100], line[2500];
    snprintf(path, sizeof(path), "%s/test.cfg", folder);
    FILE *file = fopen(path, "w");
    cr_assert(file && fputs(config, file) >= 0 && fclose(file) == 0);
    snprintf(line, sizeof(line), "env '%s' '%s' BACKPLANE_DATA=%s " BACKPLANE_BUILD_ROOT "/backplane %s -c %s 2>&1",
             url[0] ? url : "A=", direct[0] ? direct : "B=", folder, words, path);
    FILE *pipe = popen(line, "r");
    cr_assert_not_null(pipe);
    ret_output[fread(ret_output, 1, size - 1, pipe)] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

static void prepare(void)
{
    char plain[SERVER_URL_SIZE], plain_direct[SERVER_URL_SIZE];
    snprintf(folder, sizeof(folder), "/tmp/backplane-test-XXXXXX");
    cr_assert(mkdtemp(folder));
    url[0] = direct[0] = '\0';
    database_prepare(folder, plain, plain_direct);
    if (plain[0]) {
        snprintf(url, sizeof(url), "DATABASE_URL=%s", plain);
        snprintf(direct, sizeof(direct), "DIRECT_URL=%s", plain_direct);
    }
}

static void run(const char *config)
{
    char output[4000];
    int code = command(config, "migrate", output, sizeof(output));
    cr_assert_eq(code, 0, "%s", output);
    server_start(&server, &(struct server_options){.config = config, .folder = folder, .database = true});
}

static void log_in(void)
{
    ada = http_login(server.port, "ada@example.com");
    bob = http_login(server.port, "bob@example.com");
}

static void start_example(void)
{
    prepare();
    run(EXAMPLE);
    log_in();
}

static void stop(void)
{
    free(ada);
    free(bob);
    server_stop(&server);
}

static json_t *call(const char *who, const char *method, const char *target, const char *body, unsigned status)
{
    struct http_reply reply;
    http_call(server.port, method, target, who, body, &reply);
    cr_assert_eq(reply.status, status, "%s %s %s: %u %s", method, target, body ? body : "", reply.status, reply.body);
    json_t *root = http_json(&reply);
    http_reply_free(&reply);
    return root;
}

static void expect_message(const char *who, const char *method, const char *target, const char *body, unsigned status,
                           const char *message)
{
    json_t *root = call(who, method, target, body, status);
    cr_expect_str_eq(http_json_text(root, "message"), message, "%s %s", method, body ? body : "");
    json_decref(root);
}

/* The path of a new note. */
static void add(const char *who, const char *body, char ret_path[80])
{
    json_t *root = call(who, "POST", NOTES, body, 201);
    snprintf(ret_path, 80, NOTES "/%s", http_json_text(root, "data.id"));
    json_decref(root);
}

TestSuite(config_resource, .timeout = 110);

Test(config_resource, rows_are_created_read_changed_and_removed, .init = start_example, .fini = stop)
{
    char path[80], headers[700];
    struct http_reply reply;
    json_t *root = call(ada, "POST", NOTES,
                        "{\"text\":\"  Milk \",\"stars\":3,\"tags\":[\"a\",\"b\"],\"version\":9,"
                        "\"remindAt\":\"2026-03-01T10:00:00Z\"}",
                        201);
    cr_expect_str_eq(http_json_text(root, "message"), "Note created successfully");
    cr_expect_str_eq(http_json_text(root, "data.text"), "Milk");
    cr_expect_str_eq(http_json_text(root, "data.kind"), "idea");
    cr_expect(json_is_false(http_json_at(root, "data.pinned")));
    cr_expect_eq(http_json_integer(root, "data.stars"), 3);
    cr_expect_str_eq(http_json_text(root, "data.remindAt"), "2026-03-01T10:00:00.000Z");
    cr_expect_str_eq(http_json_text(root, "data.tags.1"), "b");
    cr_expect_eq(http_json_integer(root, "data.version"), 1);
    cr_expect_eq(strlen(http_json_text(root, "data.userId")), 36);
    snprintf(path, sizeof(path), NOTES "/%s", http_json_text(root, "data.id"));
    json_decref(root);

    http_call(server.port, "GET", path, ada, NULL, &reply);
    cr_expect_eq(reply.status, 200);
    cr_expect_str_eq(http_header(&reply, "ETag"), "\"1\"");
    http_reply_free(&reply);
    root = call(ada, "PATCH", path, "{\"stars\":null,\"kind\":\"quote\",\"tags\":[]}", 200);
    cr_expect(json_is_null(http_json_at(root, "data.stars")));
    cr_expect_str_eq(http_json_text(root, "data.kind"), "quote");
    cr_expect_str_eq(http_json_text(root, "data.text"), "Milk");
    cr_expect_eq(json_array_size(http_json_at(root, "data.tags")), 0);
    cr_expect_eq(http_json_integer(root, "data.version"), 2);
    json_decref(root);
    snprintf(headers, sizeof(headers), "%sIf-Match: \"1\"\r\n", ada);
    expect_message(headers, "PATCH", path, "{\"stars\":1}", 412, "Note has been changed meanwhile");
    root = call(ada, "PUT", path, "{\"text\":\"Eggs\"}", 200);
    cr_expect_str_eq(http_json_text(root, "data.kind"), "idea");
    cr_expect(json_is_null(http_json_at(root, "data.tags")));
    json_decref(root);

    expect_message(bob, "GET", path, NULL, 404, "Note not found");
    expect_message(bob, "DELETE", path, NULL, 404, "Note not found");
    expect_message(NULL, "GET", path, NULL, 401, "Authentication required");
    expect_message(ada, "GET", NOTES "/1", NULL, 400, "Validation failed: Invalid note ID format");
    expect_message(ada, "DELETE", path, NULL, 200, "Note deleted successfully");
    expect_message(ada, "GET", path, NULL, 404, "Note not found");
}

#define FAILED "Validation failed: "
static const struct {
    const char *body, *message;
} bodies[] = {
    {"{}", FAILED "Text is required"},
    {"{\"text\":\" \"}", FAILED "Text cannot be empty"},
    {"{\"text\":\"x\",\"kind\":\"poem\"}", FAILED "Kind must be one of idea, task, quote"},
    {"{\"text\":\"x\",\"pinned\":1}", FAILED "Pinned must be a boolean"},
    {"{\"text\":\"x\",\"stars\":6}", FAILED "Stars must be an integer from 0 to 5"},
    {"{\"text\":\"x\",\"remindAt\":\"soon\"}", FAILED "Remind at must be a date such as 2026-01-31T12:00:00Z"},
    {"{\"text\":\"x\",\"tags\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\"]}",
     FAILED "Tags must have at most 10 items"},
    {"{\"text\":1,\"stars\":-1}", FAILED "Text is required, Stars must be an integer from 0 to 5"},
};

static const struct {
    const char *query;
    const char *texts; /* of the rows, in their order */
} lists[] = {
    {"?sort=text", "Ants Zebra bees milk "},
    {"?sort=-stars,text&kind=task", "milk Zebra "},
    {"?stars%5Bgte%5D=2&sort=stars", "Ants milk "},
    {"?stars%5Bnull%5D=true", "bees "},
    {"?pinned=true", "Zebra "},
    {"?q=E&sort=text", "Zebra bees "},
    {"?q=%25", ""},
    {"?sort=text&limit=2&page=2", "bees milk "},
    {"?remindAt%5Blt%5D=2027-01-01T00:00:00Z", "Ants "},
};

Test(config_resource, what_is_checked_and_listed, .init = start_example, .fini = stop)
{
    char path[80];
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++)
        expect_message(ada, "POST", NOTES, bodies[i].body, 400, bodies[i].message);
    add(ada, "{\"text\":\"milk\",\"kind\":\"task\",\"stars\":4}", path);
    add(ada, "{\"text\":\"Ants\",\"stars\":2,\"remindAt\":\"2026-03-01T10:00:00Z\"}", path);
    add(ada, "{\"text\":\"Zebra\",\"kind\":\"task\",\"stars\":1,\"pinned\":true}", path);
    add(ada, "{\"text\":\"bees\"}", path);
    add(bob, "{\"text\":\"mine\",\"pinned\":true}", path);
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        char target[160], texts[200] = "";
        snprintf(target, sizeof(target), NOTES "%s", lists[i].query);
        json_t *root = call(ada, "GET", target, NULL, 200), *row;
        size_t n;
        json_array_foreach(http_json_at(root, "data.data"), n, row)
        {
            strcat(texts, http_json_text(row, "text"));
            strcat(texts, " ");
        }
        cr_expect_str_eq(texts, lists[i].texts, "%s: %s", lists[i].query, texts);
        json_decref(root);
    }
    json_t *root = call(ada, "GET", NOTES "?limit=3", NULL, 200);
    cr_expect_eq(http_json_integer(root, "data.meta.totalItems"), 4);
    cr_expect_eq(http_json_integer(root, "data.meta.totalPages"), 2);
    json_decref(root);
    expect_message(ada, "GET", NOTES "?text=x", NULL, 400, FAILED "Unknown query parameter \"text\"");
    expect_message(ada, "GET", NOTES "?sort=tags", NULL, 400,
                   FAILED "Query parameter \"sort\" names a member that cannot be sorted by");
}

#define FIRST "{ name = \"order\"; type = \"text\"; sort = true; }"
#define SECOND                                                                                                     \
    "{ name = \"group\"; type = \"integer\"; default = \"0\"; since = 2; initial = \"7\"; },\n"                    \
    "{ name = \"mood\"; type = \"choice\"; choices = ( \"it's\", \"so\" ); required = true; since = 2; initial = " \
    "\"it's\"; },\n{ name = \"at\"; type = \"date\"; since = 2; initial = \"2026-01-02T03:04:05.006Z\"; },\n"      \
    "{ name = \"ref\"; type = \"uuid\"; since = 2; initial = \"0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f\"; },\n"       \
    "{ name = \"share\"; type = \"number\"; since = 2; initial = \"0.25\"; },\n"                                   \
    "{ name = \"done\"; type = \"bool\"; since = 2; initial = \"true\"; },\n"

Test(config_resource, fields_are_added_to_rows_that_are_there)
{
    char path[80], output[4000];
    prepare();
    run(NOTES_OF(FIRST, ""));
    log_in();
    add(ada, "{\"order\":\"first\"}", path);
    server_stop_keep(&server);
    run(NOTES_OF(SECOND FIRST, ""));
    json_t *root = call(ada, "GET", path, NULL, 200);
    cr_expect_str_eq(http_json_text(root, "data.order"), "first");
    cr_expect_eq(http_json_integer(root, "data.group"), 7);
    cr_expect_str_eq(http_json_text(root, "data.mood"), "it's");
    cr_expect_str_eq(http_json_text(root, "data.at"), "2026-01-02T03:04:05.006Z");
    cr_expect_str_eq(http_json_text(root, "data.ref"), "0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f");
    cr_expect_float_eq(json_real_value(http_json_at(root, "data.share")), 0.25, 1e-9);
    cr_expect(json_is_true(http_json_at(root, "data.done")));
    json_decref(root);
    root = call(ada, "POST", NOTES, "{\"order\":\"second\",\"mood\":\"so\"}", 201);
    cr_expect_eq(http_json_integer(root, "data.group"), 0);
    cr_expect(json_is_null(http_json_at(root, "data.at")));
    json_decref(root);
    root = call(ada, "PATCH", path, "{\"group\":1}", 200);
    cr_expect_eq(http_json_integer(root, "data.version"), 2);
    json_decref(root);
    server_stop_keep(&server);

    cr_expect_neq(command(NOTES_OF("{ name = \"order\"; type = \"integer\"; }", ""), "migrate", output, sizeof(output)),
                  0);
    cr_expect(strstr(output, "migration 1 of resource.notes was applied as \\\"create with owner: order text\\\", but "
                             "is \\\"create with owner: order integer\\\" here"),
              "%s", output);
    cr_expect_neq(command(NOTES_OF(FIRST, ""), "migrate", output, sizeof(output)), 0);
    cr_expect(strstr(output, "(add at date, done bool, group integer, mood choice, ref uuid, share number) of "
                             "resource.notes, but this version of the program knows only 1"),
              "%s", output);
    cr_expect_eq(command(NOTES_OF(SECOND FIRST, ""), "migrate down resource.notes --to 0", output, sizeof(output)), 0,
                 "%s", output);
    free(ada);
    free(bob);
    server_remove_folder(&server);
}

Test(config_resource, an_account_has_so_many_rows)
{
    char path[80];
    prepare();
    run(NOTES_OF("{ name = \"text\"; type = \"text\"; }", "rows_max = 2;"));
    log_in();
    add(ada, "{}", path);
    add(ada, "{\"text\":\"x\"}", path);
    expect_message(ada, "POST", NOTES, "{}", 409, "Note cannot be added: there are as many as there may be");
    json_t *root = call(ada, "POST", NOTES "/bulk", "{\"operations\":[{\"op\":\"create\",\"data\":{}}]}", 200);
    cr_expect_eq(http_json_integer(root, "data.failed"), 1);
    cr_expect_str_eq(http_json_text(root, "data.results.0.body.code"), "note.limit");
    json_decref(root);
    add(bob, "{}", path);
    expect_message(ada, "DELETE", path, NULL, 404, "Note not found");
    expect_message(bob, "DELETE", path, NULL, 200, "Note deleted successfully");
    stop();
}

Test(config_resource, shared_rows_are_read_by_all_and_written_by_some)
{
    prepare();
    run(NOTES_OF("{ name = \"text\"; type = \"text\"; }",
                 "owner = \"none\"; write_role = \"admin\"; unknown_members = \"refuse\"; page_size = 2;"));
    log_in();
    expect_message(ada, "POST", NOTES, "{\"text\":\"x\"}", 403, "Forbidden");
    char *id = database_ask(&server, "SELECT count(*) FROM resource_notes");
    cr_expect_str_eq(id, "0");
    free(id);
    database_execute(&server, "UPDATE users SET role = 'admin'");
    free(ada);
    ada = http_login(server.port, "cyd@example.com");
    json_t *root = call(bob, "GET", NOTES, NULL, 200);
    cr_expect_eq(http_json_integer(root, "data.meta.itemsPerPage"), 2);
    json_decref(root);
    stop();
}

/* Where nobody may change what he has not seen. */
Test(config_resource, conditions_that_are_demanded)
{
    static const char message[] = "Note cannot be changed without If-Match";
    char path[80], body[300];
    prepare();
    run(NOTES_OF("{ name = \"text\"; type = \"text\"; }", "conditions = \"required\";"));
    log_in();
    add(ada, "{\"text\":\"x\"}", path);
    expect_message(ada, "PATCH", path, "{\"text\":\"y\"}", 428, message);
    expect_message(ada, "PUT", path, "{\"text\":\"y\"}", 428, message);
    expect_message(ada, "DELETE", path, NULL, 428, message);
    snprintf(body, sizeof(body),
             "{\"operations\":[{\"op\":\"delete\",\"id\":\"%s\"},{\"op\":\"update\",\"id\":\"%s\",\"ifMatch\":"
             "\"\\\"1\\\"\",\"data\":{\"text\":\"y\"}}]}",
             strrchr(path, '/') + 1, strrchr(path, '/') + 1);
    json_t *root = call(ada, "POST", NOTES "/bulk", body, 200);
    cr_expect_eq(http_json_integer(root, "data.results.0.status"), 428);
    cr_expect_str_eq(http_json_text(root, "data.results.0.body.code"), "note.condition_required");
    cr_expect_eq(http_json_integer(root, "data.results.1.status"), 200);
    json_decref(root);
    char *conditional;
    cr_assert(asprintf(&conditional, "%sIf-Match: \"2\"\r\n", ada) > 0);
    expect_message(conditional, "PATCH", path, "{\"text\":\"z\"}", 200, "Note updated successfully");
    expect_message(conditional, "PATCH", path, "{\"text\":\"z\"}", 412, "Note has been changed meanwhile");
    free(conditional);
    stop();
}

#define FIELD(text_) NOTES_OF(text_, "")
static const struct {
    const char *config, *said; /* behind the file's name */
} wrong[] = {
    {FIELD("{ name = \"a\"; type = \"text\"; },\n{ name = \"a\"; type = \"bool\"; }"),
     ":4: plugins.notes.fields[1].name: \"a\" is also the name of fields[0]\n"},
    {FIELD("{ name = \"version\"; type = \"text\"; }"),
     ":3: plugins.notes.fields[0].name: \"version\" is a member that every resource has\n"},
    {FIELD("{ name = \"limit\"; type = \"text\"; filter = true; }"),
     ":3: plugins.notes.fields[0].name: \"limit\" is a query parameter of lists: no filter can be called so\n"},
    {FIELD("{ name = \"A b\"; type = \"text\"; }"),
     ":3: plugins.notes.fields[0].name: must be made of lower-case letters, digits and single underscores, with a "
     "letter first\n"},
    {FIELD("{ name = \"a\";\ntype = \"string\"; }"),
     ":4: plugins.notes.fields[0].type: must be one of bool, integer, number, text, choice, uuid, date, texts\n"},
    {FIELD("{ name = \"a\"; }"), ":3: plugins.notes.fields[0]: \"type\" is missing\n"},
    {FIELD("{ name = \"a\"; type = \"text\"; maximum = 3; }"), ":3: plugins.notes.fields[0].maximum: unknown setting"},
    {FIELD("{ name = \"a\"; type = \"choice\"; }"),
     ":3: plugins.notes.fields[0].choices: a field of type choice needs choices = ( \"one\", \"another\" )\n"},
    {FIELD("{ name = \"a\"; type = \"choice\"; choices = ( \"x\", \"x\" ); }"),
     ":3: plugins.notes.fields[0].choices: \"x\" is there twice\n"},
    {FIELD("{ name = \"a\"; type = \"text\"; choices = ( \"x\" ); }"),
     ":3: plugins.notes.fields[0].choices: a field of type text has no choices\n"},
    {FIELD("{ name = \"a\"; type = \"integer\"; max = 5;\ndefault = \"6\"; }"),
     ":4: plugins.notes.fields[0].default: is no legal value\n"},
    {FIELD("{ name = \"a\"; type = \"choice\"; choices = ( \"x\" ); default = \"y\"; }"),
     ":3: plugins.notes.fields[0].default: is no legal value\n"},
    {FIELD("{ name = \"a\"; type = \"text\"; max = 2; default = \"abc\"; }"),
     ":3: plugins.notes.fields[0].default: is too short, too long or no UTF-8\n"},
    {FIELD("{ name = \"a\"; type = \"text\"; required = true; default = \"abc\"; }"),
     ":3: plugins.notes.fields[0].default: a required field has no default: clients must give a value\n"},
    {FIELD("{ name = \"a\"; type = \"integer\"; min = 3; max = 2; }"),
     ":3: plugins.notes.fields[0].min: is above max, 2\n"},
    {FIELD("{ name = \"a\"; type = \"bool\"; max = 2; }"),
     ":3: plugins.notes.fields[0].max: a field of type bool has no bounds\n"},
    {FIELD("{ name = \"a\"; type = \"text\"; max = 0; }"),
     ":3: plugins.notes.fields[0].max: must be from 1 to 100000 for type text\n"},
    {FIELD("{ name = \"a\"; type = \"bool\"; },\n{ name = \"b\"; type = \"bool\"; since = 3; }"),
     ":4: plugins.notes.fields[1].since: is 3, but no field has since = 2\n"},
    {FIELD("{ name = \"a\"; type = \"bool\"; },\n{ name = \"b\"; type = \"bool\"; required = true; since = 2; }"),
     ":4: plugins.notes.fields[1].since: a field that is added later and is required or has a default needs initial: "
     "what the rows that are there get\n"},
    {FIELD("{ name = \"a\"; type = \"bool\"; initial = \"true\"; }"),
     ":3: plugins.notes.fields[0].initial: is for fields with since = 2 or later: the table begins without rows\n"},
    {FIELD("{ name = \"a\"; type = \"bool\"; },\n{ name = \"b\"; type = \"date\"; since = 2; initial = \"now\"; }"),
     ":4: plugins.notes.fields[1].initial: is no legal value\n"},
    {FIELD("{ name = \"a\"; type = \"bool\"; search = true; }"),
     ":3: plugins.notes.fields[0].search: only texts can be searched\n"},
    {FIELD("{ name = \"a\"; type = \"texts\"; sort = true; }"),
     ":3: plugins.notes.fields[0].sort: lists of texts cannot be filtered or sorted by\n"},
    {NOTES_OF("{ name = \"a\"; type = \"texts\"; }", "sort = \"-a\";"),
     ":3: plugins.notes.sort: \"a\" is no member to sort by\n"},
    {NOTES_OF("{ name = \"a\"; type = \"text\"; }", "page_size = 200;"),
     ":3: plugins.notes.page_size: is above page_max, 100\n"},
    {FIELD(""), ":2: plugins.notes.fields: has 0 items; it needs at least 1\n"},
    {SHIPPED
     "plugins: ( { use = \"resource\"; name = \"My-notes\"; singular = \"note\"; path = \"notes\"; fields = (); "
     "} );\n",
     ":2: plugins.My-notes.path: must be a path such as \"/api/v1/notes\", without parameters\n"},
    {SHIPPED
     "plugins: ( { use = \"resource\"; name = \"My-notes\"; singular = \"note\"; path = \"/api/v1/n\"; fields = "
     "( { name = \"a\"; type = \"bool\"; } ); } );\n",
     ":2: plugins.My-notes.name: must be made of lower-case letters, digits and underscores, at most 40, with a letter "
     "first: its table is called by it\n"},
};

Test(config_resource, mistakes_are_named_at_their_place)
{
    char output[4000], expected[700];
    prepare();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        snprintf(expected, sizeof(expected), "%s/test.cfg%s", folder, wrong[i].said);
        cr_expect_neq(command(wrong[i].config, "check", output, sizeof(output)), 0, "%s", wrong[i].config);
        cr_expect(strstr(output, expected), "%s is not in\n%s", expected, output);
    }
    snprintf(server.folder, sizeof(server.folder), "%s", folder);
    server_remove_folder(&server);
}
