/* SPDX-License-Identifier: MIT */
/* The replies of one operation, collected from all who may make them. */
#ifndef OPENAPI_REPLIES_H
#define OPENAPI_REPLIES_H

#include "document.h"

struct replies {
    struct document *document;
    json_t *by_status[600]; /* response objects; NULL: none of this status */
    json_t *every;          /* header fields of each reply */
};

void replies_init(struct replies *replies, struct document *document);
/* A reply with a body of this media type (NULL: none) and schema (taken over; may be NULL). */
void replies_add(struct replies *replies, unsigned status, const char *doc, const char *type, json_t *schema);
/* An error in the usual form. */
void replies_add_error(struct replies *replies, unsigned status, const char *code, const char *message,
                       const char *doc);
/* Header fields of replies of that status; 0: of all. */
void replies_add_headers(struct replies *replies, unsigned status, const struct bp_field *rows);
/* All that a table says. form and name: of the route, for bodies that are no errors. */
void replies_add_answer(struct replies *replies, const struct bp_answer *answer, uint32_t form, const char *name);
/* What bp_reply_object() and bp_reply_message() make of the schema of the data (taken over; NULL: a message only), and bp_reply_json(). */
json_t *replies_envelope(struct document *document, json_t *data);
/* The "responses" object. Ends the use of replies. */
json_t *replies_finish(struct replies *replies);

/* The component "responses": what is answered before anybody looks at which route it is. */
json_t *replies_malformed(struct document *document);

#endif
