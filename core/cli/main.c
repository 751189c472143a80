/* SPDX-License-Identifier: MIT */
/* From words to a command and its options. */
#include <stdlib.h>
#include <string.h>

#include "core/cli/command.h"
#include "core/plugin/location.h"
#include "core/schema/schema.h"

#define NAMES_MAX 64

struct parse {
    char **words;
    int count, next;
    const struct cli_command *command;
    struct cli_options options;
    const char **sets; /* room for one per word */
    bool help, version;
};

static int usage(const char *format, const char *word, const char *nearest)
{
    fputs("backplane: ", stderr);
    fprintf(stderr, format, word);
    if (nearest)
        fprintf(stderr, "; did you mean \"%s\"?", nearest);
    fputs("\nTry \"backplane --help\".\n", stderr);
    return CLI_USAGE;
}

static const char *nearest_command(const char *word)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (const struct cli_command *command = cli_commands; command->name && count < NAMES_MAX; command++)
        names[count++] = command->name;
    return nearest_name(bp_str_of(word), names, count);
}

static const char *nearest_option(const char *word)
{
    static const char *const names[] = {"--config", "--set",   "--json", "--once",   "--markdown",
                                        "--to",     "--steps", "--help", "--version"};
    return nearest_name(bp_str_of(word), names, sizeof(names) / sizeof(*names));
}

/* True when the word is "--name" or "--name=value"; *ret_value is the value, or the next word. */
static bool takes_value(struct parse *parse, const char *word, const char *name, const char **ret_value)
{
    size_t len = strlen(name);
    if (strncmp(word, name, len) != 0 || (word[len] != 0 && word[len] != '='))
        return false;
    *ret_value = word[len] == '=' ? word + len + 1 : parse->next < parse->count ? parse->words[parse->next++] : NULL;
    return true;
}

static int parse_option(struct parse *parse, const char *word)
{
    const char *value = NULL;
    if (takes_value(parse, word, "-c", &value) || takes_value(parse, word, "--config", &value)) {
        if (!value)
            return usage("%s needs a file", word, NULL);
        parse->options.config_file = value;
    } else if (takes_value(parse, word, "--set", &value)) {
        if (!value || value[0] == '=' || !strchr(value, '='))
            return usage("%s needs PATH=VALUE", "--set", NULL);
        parse->sets[parse->options.set_count++] = value;
    } else if (takes_value(parse, word, "--to", &value)) {
        if (!value)
            return usage("%s needs VERSION", "--to", NULL);
        parse->options.to = value;
    } else if (takes_value(parse, word, "--steps", &value)) {
        if (!value)
            return usage("%s needs N", "--steps", NULL);
        parse->options.steps = value;
    } else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
        parse->help = true;
    } else if (strcmp(word, "--version") == 0) {
        parse->version = true;
    } else if (strcmp(word, "--json") == 0) {
        parse->options.json = true;
    } else if (strcmp(word, "--once") == 0) {
        parse->options.once = true;
    } else if (strcmp(word, "--markdown") == 0) {
        parse->options.markdown = true;
    } else {
        return usage("unknown option \"%s\"", word, nearest_option(word));
    }
    return 0;
}

/* One word may be a command, and two that begin with it another. */
static int parse_command(struct parse *parse, const char *word)
{
    const char *nearest = nearest_command(word);
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        size_t len = strlen(word);
        const char *second = strchr(command->name, ' ');
        if (!second && strcmp(command->name, word) == 0)
            parse->command = command;
        if (!second || (size_t)(second - command->name) != len || strncmp(command->name, word, len) != 0)
            continue;
        if (parse->next < parse->count && strcmp(parse->words[parse->next], second + 1) == 0) {
            parse->next++;
            parse->command = command;
            return 0;
        }
        nearest = command->name;
    }
    if (parse->command)
        return 0;
    return usage("unknown command \"%s\"", word, nearest);
}

static int parse_word(struct parse *parse, const char *word, bool *options_ended)
{
    if (!*options_ended && strcmp(word, "--") == 0) {
        *options_ended = true;
        return 0;
    }
    if (!*options_ended && word[0] == '-' && word[1])
        return parse_option(parse, word);
    if (!parse->command)
        return parse_command(parse, word);
    if (parse->options.argument_count == parse->command->max_arguments) {
        char both[80];
        (void)snprintf(both, sizeof(both), "%s %s", parse->command->name, word);
        return usage("unexpected argument \"%s\"", word, nearest_command(both));
    }
    parse->options.arguments[parse->options.argument_count++] = word;
    return 0;
}

static int check_command(const struct parse *parse)
{
    const struct cli_command *command = parse->command;
    if (!command) {
        cli_print_help(stderr, NULL);
        return CLI_USAGE;
    }
    if (parse->options.argument_count < command->min_arguments)
        return usage("%s is needed behind the command", command->arguments, NULL);
    if (parse->options.json && command->function != cli_check && command->function != cli_migrate_status &&
        command->function != cli_status && command->function != cli_errors)
        return usage("%s belongs to \"check\", \"status\", \"errors\" and \"migrate status\"", "--json", NULL);
    if (parse->options.once && command->function != cli_top)
        return usage("%s belongs to \"top\"", "--once", NULL);
    if ((parse->options.to || parse->options.steps) && command->function != cli_migrate_down)
        return usage("%s belongs to \"migrate down\"", parse->options.to ? "--to" : "--steps", NULL);
    if (parse->options.markdown && command->function != cli_config_options && command->function != cli_metrics &&
        (command->function != cli_plugins || parse->options.argument_count == 0))
        return usage("%s belongs to \"plugins NAME\", \"metrics\" and \"config options\"", "--markdown", NULL);
    return 0;
}

static int run(struct parse *parse)
{
    bool options_ended = false;
    int status = 0;
    while (parse->next < parse->count && status == 0)
        status = parse_word(parse, parse->words[parse->next++], &options_ended);
    if (status)
        return status;
    if (parse->help) {
        cli_print_help(stdout, parse->command);
        return CLI_OK;
    }
    if (parse->version)
        return cli_version(&parse->options);
    status = check_command(parse);
    if (status)
        return status;
    if (!parse->options.config_file)
        parse->options.config_file = location_config_file();
    const struct cli_command *command = parse->command;
    return command->function ? command->function(&parse->options)
                             : cli_plugin_command(&parse->options, command->plugin, command->plugin_command);
}

int cli_main(int argc, char **argv)
{
    struct parse parse = {.words = argv, .count = argc, .next = 1};
    parse.sets = calloc((size_t)argc + 1, sizeof(*parse.sets));
    if (!parse.sets)
        return CLI_FAILED;
    parse.options.sets = parse.sets;
    int status = run(&parse);
    free(parse.sets);
    return status;
}
