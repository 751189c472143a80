/* SPDX-License-Identifier: MIT */
/* The request target (RFC 9112 3.2) and host[:port] (RFC 9110 7.2). */
#ifndef CORE_HTTP_TARGET_H
#define CORE_HTTP_TARGET_H

#include "core/http/parser.h"

/* uri-host [":" port], the host not empty, the port at most 65535. */
bool target_is_authority(bp_str text);
/* Splits head->target into path, query and authority, by head->method_text. NULL, or a literal that says what is wrong. */
const char *target_split(struct parser_head *head);

#endif
