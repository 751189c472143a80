/* SPDX-License-Identifier: MIT */
/* What the middleware and the handlers answer beside their replies, for the OpenAPI document. */
#ifndef AUTH_ANSWERS_H
#define AUTH_ANSWERS_H

#include "backplane/answer.h"

extern const struct bp_answer authenticate_answers[], sign_up_answers[], login_answers[], refresh_answers[],
    session_end_answers[], me_update_answers[], confirmed_answers[], key_create_answers[], key_delete_answers[],
    admin_user_answers[], forgot_answers[], mailed_token_answers[];

#endif
