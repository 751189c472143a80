/* SPDX-License-Identifier: MIT */
/* A message as it travels (RFC 5322, MIME). Pure. */
#ifndef MAILER_MESSAGE_H
#define MAILER_MESSAGE_H

#include "backplane/clock.h"
#include "backplane/uuid.h"

#define MESSAGE_ADDRESS_MAX 320u
#define MESSAGE_SUBJECT_MAX 200u
#define MESSAGE_TEXT_MAX 65536u

/* Whether it may stand in a header field and in an SMTP command: one address, without spaces, brackets or control characters. */
bool message_address_valid(bp_str address);
bool message_subject_valid(bp_str subject);
/* The whole of it, lines ending with CRLF; to be free()d. NULL when out of memory. */
char *message_make(bp_str from, bp_str to, bp_str subject, bp_str text, bp_date date, const bp_uuid *id);

#endif
