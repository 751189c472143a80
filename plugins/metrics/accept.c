/* SPDX-License-Identifier: MIT */
#include "accept.h"

/* Takes what stands before the next separator off *rest. */
static bp_str take(bp_str *rest, char separator)
{
    const char *end = memchr(rest->ptr, separator, rest->len);
    bp_str part = bp_str_n(rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len);
    *rest = end ? bp_str_n(end + 1, rest->len - part.len - 1) : bp_str_n(NULL, 0);
    return bp_str_trim(part);
}

/* A weight in thousandths: 0, 0.5, 1.000; what is none counts as 0. */
static int weight(bp_str text)
{
    if (text.len == 0 || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1') ||
        (text.len > 1 && text.ptr[1] != '.'))
        return 0;
    int value = (text.ptr[0] - '0') * 1000, digit = 100;
    for (size_t i = 2; i < text.len; i++, digit /= 10) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return 0;
        value += (text.ptr[i] - '0') * digit;
    }
    return value > 1000 ? 0 : value;
}

struct range {
    bp_str media, version;
    int weight;
};

static struct range read_range(bp_str text)
{
    struct range range = {.media = take(&text, ';'), .weight = 1000};
    while (text.len > 0) {
        bp_str value = take(&text, ';'), name = take(&value, '=');
        if (bp_str_eq_nocase(name, BP_STR("q")))
            range.weight = weight(value);
        else if (bp_str_eq_nocase(name, BP_STR("version")))
            range.version = value;
    }
    return range;
}

static bool is_version_1(bp_str version)
{
    return version.len == 0 || (version.len > 1 && version.ptr[0] == '1' && version.ptr[1] == '.');
}

enum bp_metric_format metrics_accepted(bp_str accept)
{
    static const bp_str texts[] = {{"*/*", 3}, {"text/*", 6}, {"text/plain", 10}}; /* the closest counts */
    int open = 0, text = 0, closeness = -1;
    while (accept.len > 0) {
        struct range range = read_range(take(&accept, ','));
        if (bp_str_eq_nocase(range.media, BP_STR("application/openmetrics-text"))) {
            if (is_version_1(range.version) && range.weight > open)
                open = range.weight;
            continue;
        }
        for (int i = 0; i < (int)(sizeof(texts) / sizeof(texts[0])); i++)
            if (i >= closeness && bp_str_eq_nocase(range.media, texts[i])) {
                text = i == closeness && text > range.weight ? text : range.weight;
                closeness = i;
            }
    }
    return open > 0 && open >= text ? BP_METRIC_OPENMETRICS : BP_METRIC_TEXT;
}
