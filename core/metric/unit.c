/* SPDX-License-Identifier: MIT */
#include "core/metric/metric.h"

static bool ends_with(bp_str text, bp_str end)
{
    return text.len > end.len && bp_str_eq(bp_str_n(text.ptr + text.len - end.len, end.len), end);
}

bp_str metric_family(const struct bp_metric_def *def)
{
    const bp_str total = BP_STR("_total");
    bp_str name = bp_str_of(def->name);
    if (def->type == BP_COUNTER && ends_with(name, total))
        name.len -= total.len;
    return name;
}

bool metric_unit_fits(const struct bp_metric_def *def, const char *unit)
{
    bp_str family = metric_family(def), end = bp_str_of(unit);
    return end.len > 0 && ends_with(family, end) && family.ptr[family.len - end.len - 1] == '_';
}

const char *metric_unit(const struct bp_metric_def *def)
{
    static const char *const units[] = {"seconds", "bytes", "ratio"};
    if (def->unit)
        return def->unit;
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (metric_unit_fits(def, units[i]))
            return units[i];
    return NULL;
}
