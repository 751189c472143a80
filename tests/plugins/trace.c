/* SPDX-License-Identifier: MIT */
#include "trace.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/buffer.h"

static struct buffer told, taken;

void test_trace(const struct bp_host *host, const char *format, ...)
{
    char what[256];
    bp_str name = bp_instance_name(host);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    buffer_printf(&told, "%" BP_STR_FMT " %s; ", BP_STR_ARG(name), what);
}

const char *test_trace_take(void)
{
    buffer_deinit(&taken);
    taken = told;
    told = (struct buffer){0};
    buffer_add_char(&taken, 0);
    return taken.ptr;
}
