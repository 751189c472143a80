/* SPDX-License-Identifier: MIT */
#ifndef CORE_CONFIG_LISTEN_H
#define CORE_CONFIG_LISTEN_H

#include "core/config/config.h"

/* A server.listen entry as written; becomes struct config_listen. */
struct listen_text {
    bp_str address, name;
    uint32_t backlog;
    bp_str mode;
    bool proxy_protocol;
    bp_str when, unless; /* obeyed before; here so that they are known */
};

/* NULL when the address can be listened on as far as its form goes, else what is wrong with it. */
const char *listen_address_problem(bp_str address);
/* "0660": one to four octal digits. */
bool listen_mode_parse(bp_str text, uint32_t *ret_mode);

#endif
