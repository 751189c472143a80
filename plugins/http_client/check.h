/* SPDX-License-Identifier: MIT */
/* Whether a request can be sent as it stands. */
#ifndef HTTP_CLIENT_CHECK_H
#define HTTP_CLIENT_CHECK_H

#include "backplane/iface/http_client.h"

/* False: its method or a field is malformed, or the client's own business. */
bool check_request(const struct bp_http_request *request);
/* The URL with a NUL behind it and its host (as in a URL, lower case is not made), both in the arena. 0, BP_HTTP_E_URL with the reason in *ret_why, or BP_NOMEM. */
int check_url(const struct bp_http_request *request, struct bp_arena *arena, bp_str *ret_url, bp_str *ret_host,
              bp_str *ret_why);

#endif
