/* SPDX-License-Identifier: MIT */
/* What is said about the description of a resource: everything at once, each at its line. The first line of a configuration is world.c's. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/plugins/world.h"

#define SERVED "pipelines: { api = (); }; routes: ( { match = \"/*\"; pipeline = \"api\"; } ); "
#define ENTRY(rest)                                                                                                  \
    SERVED "plugins: ( { use = \"sqlite\"; },\n{ use = \"resource\"; name = \"notes\"; singular = \"note\"; path = " \
           "\"/n\";"                                                                                                 \
           " owner = \"none\"; write_role = \"any\";\n" rest " } );\n"
#define FIELDS(fields) ENTRY("fields = (\n" fields " );")
#define PLACE(line, rest) "t.cfg:" line ": plugins.notes." rest "\n"

static const struct {
    const char *config, *report;
} cases[] = {
    {FIELDS("{ name = \"a\"; type = \"text\"; }"), ""},
    {FIELDS("{ name = \"a\"; type = \"text\"; min = 0; max = 3; required = true; filter = true; sort = true; search = "
            "true; }, { name = \"b\"; type = \"choice\"; choices = ( \"x\", \"y\" ); default = \"y\"; since = 2; "
            "initial = \"x\"; }"),
     ""},
    /* types */
    {FIELDS("{ name = \"a\"; type = \"string\"; },\n{ name = \"b\"; type = 5; },\n{ name = \"c\"; type = \"\"; }"),
     PLACE("5", "fields[0].type: must be one of bool, integer, number, text, choice, uuid, date, texts")
         PLACE("6", "fields[1].type: must be one of bool, integer, number, text, choice, uuid, date, texts, not an "
                    "integer")
             PLACE("7", "fields[2].type: must be one of bool, integer, number, text, choice, uuid, date, texts")},
    {FIELDS("{ name = \"a\"; }"), PLACE("5", "fields[0]: \"type\" is missing")},
    /* names */
    {FIELDS("{ type = \"text\"; }"), PLACE("5", "fields[0]: \"name\" is missing")},
    {FIELDS("{ name = \"\"; type = \"text\"; }"),
     PLACE("5", "fields[0].name: cannot be empty")
         PLACE("5", "fields[0].name: must be made of lower-case letters, digits and single underscores, with a letter "
                    "first")},
    {FIELDS("{ name = \"Due\"; type = \"text\"; },\n{ name = \"1st\"; type = \"text\"; },\n{ name = \"a__b\"; type = "
            "\"text\"; },\n{ name = \"a_\"; type = \"text\"; }"),
     PLACE("5",
           "fields[0].name: must be made of lower-case letters, digits and single underscores, with a letter first")
         PLACE("6", "fields[1].name: must be made of lower-case letters, digits and single underscores, with a letter "
                    "first")
             PLACE("7", "fields[2].name: must be made of lower-case letters, digits and single underscores, with a "
                        "letter first")
                 PLACE("8", "fields[3].name: must be made of lower-case letters, digits and single underscores, with a "
                            "letter first")},
    {FIELDS("{ name = \"a\"; type = \"text\"; },\n{ name = \"b\"; type = \"text\"; },\n{ name = \"a\"; type = "
            "\"bool\"; },\n{ name = \"a\"; type = \"date\"; }"),
     PLACE("7", "fields[2].name: \"a\" is also the name of fields[0]")
         PLACE("8", "fields[3].name: \"a\" is also the name of fields[0]")},
    {FIELDS("{ name = \"id\"; type = \"uuid\"; },\n{ name = \"created_at\"; type = \"date\"; }"),
     PLACE("5", "fields[0].name: \"id\" is a member that every resource has")
         PLACE("6", "fields[1].name: \"created_at\" is a member that every resource has")},
    /* unknown keys */
    {FIELDS("{ name = \"a\"; type = \"text\";\nfilters = true; }"),
     PLACE("6", "fields[0].filters: unknown setting; did you mean \"filter\"?")},
    {ENTRY("pages = 3; fields = ( { name = \"a\"; type = \"text\"; } );"),
     PLACE("4", "pages: unknown option; \"backplane plugins resource\" lists them")},
    /* filters, sorting, searching */
    {FIELDS("{ name = \"sort\"; type = \"text\"; filter = true; },\n{ name = \"q\"; type = \"bool\"; filter = true; "
            "},\n{ name = \"page\"; type = \"bool\"; }"),
     PLACE("5", "fields[0].name: \"sort\" is a query parameter of lists: no filter can be called so")
         PLACE("6", "fields[1].name: \"q\" is a query parameter of lists: no filter can be called so")},
    {FIELDS("{ name = \"a\"; type = \"texts\"; filter = true; },\n{ name = \"b\"; type = \"integer\"; search = true; "
            "},\n{ name = \"c\"; type = \"text\"; filter = 1; }"),
     PLACE("7", "fields[2].filter: must be a boolean, not an integer")},
    {FIELDS(
         "{ name = \"a\"; type = \"texts\"; filter = true; },\n{ name = \"b\"; type = \"integer\"; search = true; }"),
     PLACE("5", "fields[0].filter: lists of texts cannot be filtered or sorted by")
         PLACE("6", "fields[1].search: only texts can be searched")},
    {ENTRY("sort = \"-a,createdAt,b\"; fields = ( { name = \"a\"; type = \"text\"; } );"),
     PLACE("4", "sort: \"b\" is no member to sort by")},
    /* bounds, defaults, versions */
    {FIELDS("{ name = \"a\"; type = \"text\"; max = 100001; },\n{ name = \"b\"; type = \"texts\"; min = -1; },\n{ name "
            "= \"c\"; type = \"date\"; min = 1; },\n{ name = \"d\"; type = \"number\"; min = 2; max = 1; }"),
     PLACE("5", "fields[0].max: must be from 1 to 100000 for type text")
         PLACE("6", "fields[1].min: must be from 0 to 1000 for type texts") PLACE(
             "7", "fields[2].min: a field of type date has no bounds") PLACE("8", "fields[3].min: is above max, 1")},
    {FIELDS("{ name = \"a\"; type = \"bool\"; default = \"maybe\"; },\n{ name = \"b\"; type = \"texts\"; default = "
            "\"x\"; },\n{ name = \"c\"; type = \"choice\"; choices = ( \"x\", \"x\" ); }"),
     PLACE("6", "fields[1].default: a list of texts has no default")
         PLACE("7", "fields[2].choices: \"x\" is there twice")},
    {FIELDS("{ name = \"a\"; type = \"bool\"; default = \"maybe\"; },\n{ name = \"b\"; type = \"integer\"; min = 3; "
            "default = \"2\"; }"),
     PLACE("5", "fields[0].default: is no legal value") PLACE("6", "fields[1].default: is no legal value")},
    {FIELDS("{ name = \"a\"; type = \"text\"; },\n{ name = \"b\"; type = \"text\"; since = 3; required = true; }"),
     PLACE("6", "fields[1].since: a field that is added later and is required or has a default needs initial: what "
                "the rows that are there get") PLACE("6", "fields[1].since: is 3, but no field has since = 2")},
    /* the resource itself */
    {SERVED
     "plugins: ( { use = \"sqlite\"; }, { use = \"resource\"; name = \"Notes\"; singular = \"my note\"; path = \"n\"; "
     "owner = \"none\"; write_role = \"any\";\nfields = ( { name = \"a\"; type = \"text\"; } ); } );\n",
     "t.cfg:2: plugins.Notes.singular: must be made of lower-case letters, digits and single underscores, with a "
     "letter first\n"
     "t.cfg:2: plugins.Notes.path: must be at least 2 characters long\n"
     "t.cfg:2: plugins.Notes.path: must be a path such as \"/api/v1/notes\", without parameters\n"},
    {SERVED
     "plugins: ( { use = \"sqlite\"; }, { use = \"resource\"; name = \"notes\"; singular = \"note\"; path = \"/n\";\n"
     "fields = ( { name = \"a\"; type = \"text\"; } ); } );\n",
     "t.cfg:2: plugins.notes.owner: user needs accounts: the service \"identity\" of a plugin such as auth\n"},
    {ENTRY("fields = ();"), PLACE("4", "fields: has 0 items; it needs at least 1")},
    {ENTRY("fields = ( \"a\" );"), PLACE("4", "fields[0]: must be a group { … }, not a text")},
};

Test(options, reports)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world world;
        world_load(&world, cases[i].config);
        cr_expect_str_eq(world_report(&world), cases[i].report, "%s\nis reported as\n%s", cases[i].config,
                         world_report(&world));
        world_free(&world);
    }
}

/* As many filters as one request can have parameters, and no more; and as many fields as there may be. */
Test(options, limits)
{
    static const struct {
        const char *type, *report;
        int fields;
    } sizes[] = {
        {"type = \"bool\";", "", 40},
        {"type = \"bool\";", "t.cfg:4: plugins.notes.fields: has 41 items; it may have at most 40\n", 41},
        {"type = \"integer\"; filter = true;",
         "t.cfg:2: resource \"note\" of plugin resource: its lists have more than 62 query parameters\n", 40},
    };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct world world;
        char text[8192];
        int len =
            snprintf(text, sizeof(text),
                     SERVED "plugins: ( { use = \"sqlite\"; }, { use = \"resource\"; name = \"notes\"; singular = "
                            "\"note\"; path = \"/n\";\nowner = \"none\"; write_role = \"any\";\nfields = ( ");
        for (int n = 0; n < sizes[i].fields; n++)
            len += snprintf(text + len, sizeof(text) - (size_t)len, "%s{ name = \"f%d\"; %s }", n ? ", " : "", n,
                            sizes[i].type);
        (void)snprintf(text + len, sizeof(text) - (size_t)len, " ); } );\n");
        world_load(&world, text);
        cr_expect_str_eq(world_report(&world), sizes[i].report, "%d: %s", sizes[i].fields, world_report(&world));
        world_free(&world);
    }
}
