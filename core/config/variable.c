/* SPDX-License-Identifier: MIT */
/* A variable of the environment: NAME itself, or the text of the file that NAME_FILE names, which is how secrets are mounted. */
#include "core/config/source.h"

#include <stdlib.h>

bool loader_slurp_value(struct loader *loader, const char *path, bp_str *ret_text, const char **ret_reason)
{
    size_t len = 0;
    char *text = source_slurp(path, VALUE_FILE_LIMIT, &len, ret_reason);
    if (!text)
        return false;
    size_t end = len;
    if (end > 0 && text[end - 1] == '\n')
        end--;
    if (end > 0 && text[end - 1] == '\r')
        end--;
    bool fine = !memchr(text, '\0', end);
    if (fine)
        *ret_text = loader_copy(loader, bp_str_n(text, end));
    else
        *ret_reason = "it holds a NUL byte";
    explicit_bzero(text, len);
    free(text);
    return fine;
}

struct variable loader_variable(struct loader *loader, const char *name)
{
    char file_name[CONFIG_PATH_MAX];
    const char *value = getenv(name);
    struct variable variable = {.text = value ? bp_str_of(value) : (bp_str){0}};
    config_path(file_name, "%s_FILE", name);
    const char *path = getenv(file_name);
    if (!path || !*path)
        return variable;
    variable.file = path;
    if (variable.text.len > 0)
        variable.twice = true;
    else
        (void)loader_slurp_value(loader, path, &variable.text, &variable.problem);
    return variable;
}
