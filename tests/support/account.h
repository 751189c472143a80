/* SPDX-License-Identifier: MIT */
/* What tests of accounts and sessions do again and again, as clients of the API. */
#ifndef SUPPORT_ACCOUNT_H
#define SUPPORT_ACCOUNT_H

#include <jansson.h>

#define ACCOUNT_AUTH "/api/v1/auth/"

struct account_client {
    char authorization[1024]; /* "Authorization: Bearer …\r\n" */
    char refresh[128];
};

/* One request; client, body and ret_root may be NULL. json_decref() *ret_root. */
unsigned account_call(int port, const char *method, const char *target, const struct account_client *client,
                      const char *body, json_t **ret_root);
/* The same, and checks status and message. */
void account_expect(int port, const char *method, const char *target, const struct account_client *client,
                    const char *body, unsigned status, const char *message);
/* From the reply to a login, a refresh or a new password. */
void account_take_tokens(const json_t *root, struct account_client *ret_client);
/* body: {"email":…,"password":…} */
void account_log_in(int port, const char *body, struct account_client *ret_client);
void account_sign_up(int port, const char *body, struct account_client *ret_client);
/* The status; what was got when it is 200. */
unsigned account_refresh(int port, const char *refresh_token, struct account_client *ret_client);
/* Asks for todos so often that every worker remembers the token. */
void account_use_everywhere(int port, const struct account_client *client);
/* The token ended at that moment (service_milliseconds()): by default each worker notices after a second at most, and a bit for a question that was
 * under way. */
void account_expect_end(int port, const struct account_client *client, long long ended);

#endif
