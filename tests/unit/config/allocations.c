/* SPDX-License-Identifier: MIT */
/*
 * The n-th allocation of config_load and config_print fails, for n = 1, 2, 3 … until there is no n-th: each time an error and nothing else, without a crash or
 * (under a sanitizer) a leak. The linker leads the core's calls here; libconfig, which does not survive a failure, keeps its own.
 */
#include "core/config/print.h"

#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *ptr, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *ptr, size_t size);

static long countdown; /* 0: none fails */

static bool fails(void)
{
    return countdown > 0 && --countdown == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *ptr, size_t size)
{
    return fails() ? NULL : __real_realloc(ptr, size);
}

/* True when it came to the end without a failure. */
static bool attempt(const char *file, long n, bool broken, FILE *sink)
{
    static const char *const sets[] = {"server.workers=2", "server.nothing=1"};
    struct config_load_options options = {.file = file, .sets = sets, .set_count = broken ? 2 : 1};
    struct report report = {0};
    struct config *config = NULL;
    countdown = n;
    int status = config_load(&options, &report, &config);
    bool printed = status == 0 && config_print(config, NULL, NULL, sink) == 0;
    bool reached = countdown == 0;
    countdown = 0;
    if ((status == 0) != (config != NULL) || status > 0 || (broken && status == 0)) {
        fprintf(stderr, "%s: allocation %ld: status %d\n", file, n, status);
        exit(1);
    }
    if (!reached && !broken && !printed) {
        fprintf(stderr, "%s: does not load: %.*s\n", file, (int)report.text.len, report.text.ptr);
        exit(1);
    }
    config_free(config);
    report_deinit(&report);
    return !reached;
}

int main(int argc, char **argv)
{
    FILE *sink = fopen("/dev/null", "w");
    if (argc != 2 || !sink)
        return 2;
    for (int broken = 0; broken < 2; broken++) {
        long n = 1;
        while (!attempt(argv[1], n, broken, sink))
            n++;
        printf("%ld allocations\n", n - 1);
        if (n < 20)
            return 1;
    }
    fclose(sink);
    return 0;
}
