/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "core/cli/admin.h"

int cli_reload(const struct cli_options *options)
{
    struct sockaddr_un address;
    char error[CLI_ADMIN_ERROR];

    if (!cli_admin_find(options, &address))
        return CLI_FAILED;
    json_t *answer = cli_admin_ask(&address, "reload", 0, error);
    if (!answer) {
        (void)fprintf(stderr, "backplane: %s\n", error);
        return CLI_FAILED;
    }
    bool done = json_is_true(json_object_get(answer, "reloaded"));
    if (options->json) {
        (void)json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        putchar('\n');
    } else if (done) {
        printf("Reloaded: %lld workers, %lld for jobs\n",
               (long long)json_integer_value(json_object_get(answer, "workers")),
               (long long)json_integer_value(json_object_get(answer, "job_workers")));
    } else {
        (void)fprintf(stderr, "%s\nbackplane: not reloaded: the configuration before goes on\n",
                      cli_admin_text(answer, "reason"));
    }
    json_decref(answer);
    return done ? CLI_OK : CLI_FAILED;
}
