/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a configuration file. What loads is printed, and what was printed loads again and prints the same values; what does not load has said why.
 * Bytes that would read other files are left out, so that a run depends on its input only.
 */
#include "core/config/config.h"
#include "core/config/print.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 loses the string that it has just read when a syntax error follows. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig.so";
}

static void check(bool truth)
{
    if (!truth)
        abort();
}

static struct config *load(const void *text, size_t size, struct report *report)
{
    struct config *config = NULL;
    char file[64];
    int fd = memfd_create("config", MFD_CLOEXEC);
    check(fd >= 0 && write(fd, text, size) == (ssize_t)size);
    snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
    const char *const sets[] = {"server.workers=2"};
    struct config_load_options options = {.file = file, .sets = sets, .set_count = 1};
    int status = config_load(&options, report, &config);
    check((status == 0) == (config != NULL) && (status == 0) == (report->errors == 0));
    check(report->errors == 0 || report->text.len > 0);
    close(fd);
    return config;
}

/* On the heap, without the comments that say where a value is from. */
static char *print(const struct config *config, size_t *ret_len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_len);
    check(out && config_print(config, NULL, NULL, out) == 0);
    fclose(out);
    size_t len = 0;
    for (const char *line = text; *line;) {
        size_t whole = strcspn(line, "\n"), kept = whole;
        for (size_t i = 0; i + 8 < whole; i++)
            if (strncmp(line + i, " # /proc/", 9) == 0 || strncmp(line + i, " # default", 10) == 0)
                kept = i;
        memmove(text + len, line, kept);
        len += kept;
        line += whole + (line[whole] == '\n');
        text[len++] = '\n';
    }
    *ret_len = len;
    return text;
}

static bool reads_files(const uint8_t *data, size_t size)
{
    return memmem(data, size, "include", 7) || memmem(data, size, "file:", 5) || memmem(data, size, "${", 2);
}

/* Loads what config is printed as, into *config; returns that text. */
static char *reload(struct config **config, size_t *ret_len)
{
    struct report report = {0};
    char *text = print(*config, ret_len);
    struct config *again = load(text, *ret_len, &report);
    check(again != NULL);
    report_deinit(&report);
    config_free(*config);
    *config = again;
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct report report = {0};
    struct config *config = reads_files(data, size) ? NULL : load(data, size, &report);
    if (config) {
        /* The first print makes defaults explicit; from then on nothing may change. */
        size_t lens[3];
        char *texts[3];
        for (size_t i = 0; i < 3; i++)
            texts[i] = reload(&config, &lens[i]);
        check(lens[1] == lens[2] && memcmp(texts[1], texts[2], lens[1]) == 0);
        for (size_t i = 0; i < 3; i++)
            free(texts[i]);
    }
    config_free(config);
    report_deinit(&report);
    return 0;
}
