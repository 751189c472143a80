/* SPDX-License-Identifier: MIT */
#include "core/config/print.h"
#include "core/config/loader.h"
#include "core/schema/schema.h"

#include "backplane/status.h"

struct printer {
    bool (*is_secret)(void *argument, const char *instance, const char *option);
    void *argument;
    struct buffer out;
};

/* Where a setting stands. */
struct context {
    unsigned indent;
    bool in_list, last;
    bool entry;           /* when and unless have done their work */
    const char *instance; /* of the plugin whose options these are; NULL: none */
    const char *option;   /* "" at the top of an entry */
};

static void print_setting(struct printer *printer, const struct config_setting *setting, const struct context *context);

static void add_indent(struct printer *printer, unsigned indent)
{
    for (unsigned i = 0; i < indent; i++)
        buffer_add(&printer->out, BP_STR("    "));
}

static void add_place(struct printer *printer, const struct config_setting *setting)
{
    if (!setting->place.file) {
        buffer_add_char(&printer->out, '\n');
        return;
    }
    buffer_printf(&printer->out, " # %s", setting->place.file);
    if (setting->place.line > 0)
        buffer_printf(&printer->out, ":%u", setting->place.line);
    if (setting->missing_environment)
        buffer_add(&printer->out, BP_STR(", not set in this environment"));
    else if (setting->from_environment)
        buffer_add(&printer->out, BP_STR(", environment"));
    buffer_add_char(&printer->out, '\n');
}

static void add_text(struct printer *printer, bp_str text)
{
    struct buffer *out = &printer->out, hidden = {0};
    config_hide_passwords(text, &hidden);
    buffer_add_char(out, '"');
    for (size_t i = 0; i < hidden.len; i++) {
        unsigned char c = (unsigned char)hidden.ptr[i];
        if (c == '"' || c == '\\')
            buffer_printf(out, "\\%c", c);
        else if (c == '$')
            buffer_add(out, BP_STR("$$"));
        else if (c < 0x20 || c == 0x7f)
            buffer_printf(out, "\\x%02x", c);
        else
            buffer_add_char(out, (char)c);
    }
    buffer_add_char(out, '"');
    out->failed |= hidden.failed;
    buffer_deinit(&hidden);
}

static void add_number(struct printer *printer, double number)
{
    char text[40];
    snprintf(text, sizeof(text), "%.17g", number);
    buffer_add(&printer->out, bp_str_of(text));
    if (!strpbrk(text, ".e"))
        buffer_add(&printer->out, BP_STR(".0"));
}

static void add_scalar(struct printer *printer, const struct config_setting *setting, const struct context *context)
{
    struct buffer *out = &printer->out;
    if (setting->from_secret || (context->instance && context->option[0] && printer->is_secret &&
                                 printer->is_secret(printer->argument, context->instance, context->option))) {
        buffer_add(out, BP_STR("\"[secret]\""));
        return;
    }
    if (setting->kind == CONFIG_TEXT && setting->missing_environment)
        buffer_printf(out, "\"%" BP_STR_FMT "\"", BP_STR_ARG(setting->text));
    else if (setting->kind == CONFIG_TEXT)
        add_text(printer, setting->text);
    else if (setting->kind == CONFIG_INTEGER)
        buffer_printf(out, "%lld%s", (long long)setting->integer,
                      setting->integer > INT32_MAX || setting->integer < INT32_MIN ? "L" : "");
    else if (setting->kind == CONFIG_NUMBER)
        add_number(printer, setting->number);
    else
        buffer_add(out, setting->boolean ? BP_STR("true") : BP_STR("false"));
}

static void add_end(struct printer *printer, const struct context *context)
{
    if (!context->in_list)
        buffer_add_char(&printer->out, ';');
    else if (!context->last)
        buffer_add_char(&printer->out, ',');
}

static bool is_condition(const char *name)
{
    return strcmp(name, "when") == 0 || strcmp(name, "unless") == 0;
}

static void print_items(struct printer *printer, const struct config_setting *setting, const struct context *context)
{
    for (size_t i = 0; i < setting->item_count; i++) {
        const struct config_setting *item = &setting->items[i];
        struct context inner = {.indent = context->indent + 1,
                                .in_list = setting->kind == CONFIG_LIST,
                                .last = i + 1 == setting->item_count,
                                .instance = context->instance,
                                .option = context->option};
        char option[CONFIG_PATH_MAX];
        if (item->name && context->entry && is_condition(item->name))
            continue;
        if (item->name && context->instance) {
            config_path(option, "%s%s%s", context->option, context->option[0] ? "." : "", item->name);
            inner.option = option;
        }
        print_setting(printer, item, &inner);
    }
}

static void print_setting(struct printer *printer, const struct config_setting *setting, const struct context *context)
{
    bool group = setting->kind == CONFIG_GROUP, list = setting->kind == CONFIG_LIST;
    add_indent(printer, context->indent);
    if (setting->name)
        buffer_printf(&printer->out, "%s = ", setting->name);
    if (!group && !list) {
        add_scalar(printer, setting, context);
        add_end(printer, context);
        add_place(printer, setting);
        return;
    }
    buffer_add_char(&printer->out, group ? '{' : '(');
    add_place(printer, setting);
    print_items(printer, setting, context);
    add_indent(printer, context->indent);
    buffer_add_char(&printer->out, group ? '}' : ')');
    add_end(printer, context);
    buffer_add_char(&printer->out, '\n');
}

/* A list whose groups are entries: of server.listen, plugins:, routes: or a pipeline. */
static void print_entries(struct printer *printer, const struct config_setting *list, unsigned indent, bool plugins,
                          bool stages)
{
    for (size_t i = 0; i < list->item_count; i++) {
        const struct config_setting *item = &list->items[i], *use = config_get(item, "use");
        struct context context = {
            .indent = indent, .in_list = true, .last = i + 1 == list->item_count, .entry = true, .option = ""};
        if (plugins)
            context.instance = config_instance_name(item).ptr;
        else if (stages && use && use->kind == CONFIG_TEXT)
            context.instance = use->text.ptr;
        print_setting(printer, item, &context);
    }
}

static void print_named_list(struct printer *printer, const struct config_setting *list, bool stages)
{
    buffer_printf(&printer->out, "    %s = (", list->name);
    add_place(printer, list);
    print_entries(printer, list, 2, false, stages);
    buffer_add(&printer->out, BP_STR("    );\n"));
}

static void print_server(struct printer *printer, const struct config *config, const struct config_setting *server)
{
    struct context context = {.indent = 1};
    buffer_add(&printer->out, BP_STR("server: {\n"));
    for (const struct bp_field *row = config_server_rows; row->type != BP_TYPE_END; row++) {
        const struct config_setting *setting = config_get(server, row->name);
        if (setting && setting->kind == CONFIG_LIST) {
            print_named_list(printer, setting, false);
        } else if (setting) {
            print_setting(printer, setting, &context);
        } else if (row->type == BP_TYPE_ARRAY && strcmp(row->name, "listen") != 0) {
            buffer_printf(&printer->out, "    %s = ( ); # default\n", row->name);
        } else if (row->type == BP_TYPE_ARRAY) {
            const struct config_listen *listen = config->server.listen.ptr;
            buffer_printf(&printer->out, "    %s = ( { address = \"%s\"; } ); # default\n", row->name,
                          listen->address.ptr);
        } else {
            buffer_printf(&printer->out, "    %s = ", row->name);
            schema_print_value(row, &config->server, &printer->out);
            buffer_add(&printer->out, BP_STR("; # default\n"));
        }
    }
    buffer_add(&printer->out, BP_STR("};\n"));
}

int config_print(const struct config *config,
                 bool (*is_secret)(void *argument, const char *instance, const char *option), void *argument, FILE *out)
{
    struct printer printer = {is_secret, argument, {0}};
    const struct config_setting *pipelines = config_get(config->root, "pipelines");
    print_server(&printer, config, config_get(config->root, "server"));
    buffer_add(&printer.out, BP_STR("\nplugins: (\n"));
    print_entries(&printer, config_get(config->root, "plugins"), 1, true, false);
    buffer_add(&printer.out, BP_STR(");\n\npipelines: {\n"));
    for (size_t i = 0; i < pipelines->item_count; i++)
        print_named_list(&printer, &pipelines->items[i], true);
    buffer_add(&printer.out, BP_STR("};\n\nroutes: (\n"));
    print_entries(&printer, config_get(config->root, "routes"), 1, false, false);
    buffer_add(&printer.out, BP_STR(");\n"));
    bool fine =
        !printer.out.failed && fwrite(printer.out.ptr, 1, printer.out.len, out) == printer.out.len && fflush(out) == 0;
    buffer_deinit(&printer.out);
    return fine ? 0 : BP_ERROR;
}
