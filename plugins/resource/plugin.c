/* SPDX-License-Identifier: MIT */
/* resource: rows of a table whose fields are written in the configuration, with the API of a plugin written in C. */
#include "backplane/iface/database.h"
#include "backplane/iface/identity.h"
#include "definition.h"

static int init(struct bp_host *host, void *self)
{
    struct definition *definition;
    int status = resource_check_options(host, self);
    if (status == 0)
        status = definition_new(host, self, &definition);
    if (status == 0)
        status = bp_migrations_add(host, bp_instance_name(host).ptr, definition->migrations);
    if (status == 0)
        status = bp_routes_add(host, definition->routes);
    return status;
}

static const struct bp_need needs[] = {
    BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct resource_plugin, db),
    BP_NEED(BP_IDENTITY, BP_IDENTITY_VERSION, struct resource_plugin, identity, .optional = 1),
    BP_NEED_END,
};

BP_PLUGIN(.name = "resource", .version = "1.0.0", .doc = "A resource whose fields are written in the configuration.",
          .self_size = sizeof(struct resource_plugin), .options = resource_options, .needs = needs, .init = init);
