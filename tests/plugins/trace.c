/* SPDX-License-Identifier: MIT */
#include "trace.h"

#include <stdarg.h>
#include <stdio.h>

static char text[4096];
static size_t len;

void test_trace(const struct bp_host *host, const char *format, ...)
{
    bp_str name = bp_instance_name(host);
    va_list arguments;
    len += (size_t)snprintf(text + len, sizeof(text) - len, "%" BP_STR_FMT " ", BP_STR_ARG(name));
    va_start(arguments, format);
    len += (size_t)vsnprintf(text + len, sizeof(text) - len, format, arguments);
    va_end(arguments);
    len += (size_t)snprintf(text + len, sizeof(text) - len, "; ");
}

const char *test_trace_take(void)
{
    static char taken[sizeof(text)];
    snprintf(taken, sizeof(taken), "%.*s", (int)len, text);
    len = 0;
    return taken;
}
