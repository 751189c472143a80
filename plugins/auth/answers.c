/* SPDX-License-Identifier: MIT */
#include "answers.h"

static const struct bp_field challenge[] = {BP_HEADER_FIELD("WWW-Authenticate", BP_TYPE_TEXT,
                                                            .doc = "What is asked for (RFC 6750).",
                                                            .example = "Bearer realm=\"api\""),
                                            BP_END};

static const struct bp_field retry_after[] = {BP_HEADER_FIELD("Retry-After", BP_TYPE_U32, .doc = "Seconds to wait."),
                                              BP_END};

const struct bp_answer authenticate_answers[] = {
    BP_ANSWER(.status = 401, .code = "auth.required", .message = "Authentication required", .doc = "There is no token.",
              .headers = challenge, .security = "bearer"),
    BP_ANSWER(.status = 401, .code = "auth.invalid_token", .message = "Invalid or expired token",
              .doc = "The token is not valid, or no longer.", .headers = challenge, .security = "bearer"),
    BP_ANSWER(.status = 401, .code = "auth.invalid_token", .message = "Invalid or expired token",
              .security = "X-API-Key"),
    BP_ANSWER_END};

const struct bp_answer sign_up_answers[] = {
    BP_ANSWER(.status = 409, .code = "auth.email_taken", .message = "Email is already registered"), BP_ANSWER_END};

#define THROTTLED                                              \
    BP_ANSWER(.status = 429, .code = "auth.too_many_failures", \
              .message = "Too many failed logins. Please try again later.", .headers = retry_after)

const struct bp_answer login_answers[] = {
    BP_ANSWER(.status = 401, .code = "auth.bad_credentials", .message = "Invalid email or password"),
    BP_ANSWER(.status = 403, .code = "auth.disabled", .message = "Account is disabled"), THROTTLED, BP_ANSWER_END};

const struct bp_answer refresh_answers[] = {BP_ANSWER(.status = 401, .code = "auth.invalid_refresh_token",
                                                      .message = "Invalid or expired refresh token",
                                                      .headers = challenge),
                                            BP_ANSWER_END};

const struct bp_answer session_end_answers[] = {
    BP_ANSWER(.status = 404, .code = "session.not_found", .message = "Session not found"), BP_ANSWER_END};

#define CHANGED BP_ANSWER(.status = 409, .code = "auth.changed", .message = "The account was changed at the same time")
#define WRONG_PASSWORD \
    BP_ANSWER(.status = 403, .code = "auth.wrong_password", .message = "Current password is incorrect")

const struct bp_answer me_update_answers[] = {
    CHANGED, WRONG_PASSWORD, THROTTLED,
    BP_ANSWER(.status = 409, .code = "auth.email_taken", .message = "Email is already registered"), BP_ANSWER_END};

const struct bp_answer confirmed_answers[] = {CHANGED, WRONG_PASSWORD, THROTTLED, BP_ANSWER_END};

const struct bp_answer key_create_answers[] = {
    BP_ANSWER(.status = 409, .code = "key.too_many", .message = "Too many keys: delete one first"), BP_ANSWER_END};

const struct bp_answer key_delete_answers[] = {
    BP_ANSWER(.status = 404, .code = "key.not_found", .message = "Key not found"), BP_ANSWER_END};

const struct bp_answer admin_user_answers[] = {
    BP_ANSWER(.status = 409, .code = "user.own_account", .message = "Another administrator must change your account"),
    BP_ANSWER_END};

const struct bp_answer forgot_answers[] = {
    BP_ANSWER(.status = 501, .code = "auth.no_mailer", .message = "This server sends no mail"), BP_ANSWER_END};

const struct bp_answer mailed_token_answers[] = {
    BP_ANSWER(.status = 400, .code = "auth.invalid_mailed_token", .message = "Invalid or expired token"),
    BP_ANSWER_END};
