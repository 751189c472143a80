/* SPDX-License-Identifier: MIT */
/* Plugin instances by name, before they are decoded. */
#include "core/config/loader.h"
#include "core/schema/schema.h"

bp_str config_instance_name(const struct config_setting *entry)
{
    const struct config_setting *name = config_get(entry, "name");
    if (!name)
        name = config_get(entry, "use");
    return name && name->kind == CONFIG_TEXT ? name->text : BP_STR("");
}

static const char *nearest_instance(struct loader *loader, bp_str name)
{
    const char **names = loader_alloc(loader, loader->plugins.item_count, sizeof(*names));
    size_t count = 0;
    for (size_t i = 0; names && i < loader->plugins.item_count; i++) {
        bp_str instance = config_instance_name(&loader->plugins.items[i]);
        if (instance.len > 0)
            names[count++] = instance.ptr;
    }
    return count > 0 ? nearest_name(name, names, count) : NULL;
}

struct suggestion loader_instance_hint(struct loader *loader, bp_str name)
{
    struct suggestion hint = {""};
    for (size_t i = 0; i < loader->left_out_count; i++) {
        const struct left_out *left_out = &loader->left_out[i];
        if (left_out->kind != LEFT_OUT_PLUGIN || !bp_str_eq(left_out->name, name))
            continue;
        bool when = strcmp(left_out->key, "when") == 0;
        config_path(hint.text, ": the one at %s:%u is left out, because its %s = \"%" BP_STR_FMT "\" is %s",
                    left_out->place.file, left_out->place.line, left_out->key, BP_STR_ARG(left_out->variable),
                    when ? "not set" : "set");
        return hint;
    }
    for (size_t i = 0; i < loader->plugins.item_count; i++) {
        const struct config_setting *entry = &loader->plugins.items[i], *use = config_get(entry, "use");
        if (use && use->kind == CONFIG_TEXT && bp_str_eq(use->text, name)) {
            config_path(hint.text, "; the instance of that plugin is named \"%" BP_STR_FMT "\"",
                        BP_STR_ARG(config_instance_name(entry)));
            return hint;
        }
    }
    return config_suggestion(nearest_instance(loader, name));
}
