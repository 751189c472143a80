/* SPDX-License-Identifier: MIT */
#include "password_rules.h"

#include "common_password.h"
#include "credentials.h"

struct rules {
    const struct auth *auth;
    const struct bp_field *row;
};

static void check(const void *object, struct bp_problems *problems, void *argument)
{
    const struct rules *rules = argument;
    bp_str password;
    memcpy(&password, (const char *)object + rules->row->offset, sizeof(password));
    if (!password.ptr) /* missing: its row has said so */
        return;
    if (rules->auth->password_composition)
        password_check(rules->row, &password, problems);
    if (rules->auth->refuse_common_passwords && password_is_common(password))
        bp_problem_add(problems, rules->row, "password.common", "Password is too common");
}

int body_with_password(const struct auth *auth, struct bp_request *rq, const struct bp_field *rows,
                       const struct bp_field *row, void *ret_object)
{
    struct rules rules = {.auth = auth, .row = row};
    return bp_body_object_check(rq, rows, ret_object, check, &rules);
}
