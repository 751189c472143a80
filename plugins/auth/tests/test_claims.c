/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <jansson.h>

#include "claims.h"

#define ID "0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f"
#define OTHER "0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e60"
#define NOW_SECONDS 1800000000
#define NOW ((bp_date)NOW_SECONDS * 1000)
#define UNPARSED (-1)

static const struct {
    const char *json;
    int status;
} cases[] = {
    {"{\"id\":\"" ID "\",\"exp\":1800000001}", 0},
    {"{\"id\":\"" ID "\",\"sub\":\"" ID "\",\"iat\":1799999999,\"exp\":1800003600}", 0},
    {"{\"id\":\"0190A8B4-5C3E-7D21-9F60-1A2B3C4D5E6F\",\"exp\":1800000001}", 0},
    {"{\"id\":\"" ID "\",\"exp\":1800000000.5}", 0},
    {"{\"id\":\"" ID "\",\"exp\":1e300}", 0},
    {"{\"id\":\"" ID "\",\"exp\":1800000001,\"role\":\"admin\",\"x\":[{\"y\":null}]}", 0},
    {"{\"id\":\"" ID "\",\"exp\":1800000001,\"nbf\":1800000000}", 0},
    {"{\"id\":\"" ID "\",\"exp\":1800000999,\"iat\":1800000060}", 0},
    {"{\"id\":\"" ID "\",\"sid\":\"" OTHER "\",\"exp\":1800000001}", 0},
    /* exp */
    {"{\"id\":\"" ID "\"}", CLAIMS_E_DATES},
    {"{\"id\":\"" ID "\",\"exp\":1800000000}", CLAIMS_E_EXPIRED},
    {"{\"id\":\"" ID "\",\"exp\":1799999999}", CLAIMS_E_EXPIRED},
    {"{\"id\":\"" ID "\",\"exp\":0}", CLAIMS_E_EXPIRED},
    {"{\"id\":\"" ID "\",\"exp\":-1}", CLAIMS_E_EXPIRED},
    {"{\"id\":\"" ID "\",\"exp\":-1e300}", CLAIMS_E_EXPIRED},
    {"{\"id\":\"" ID "\",\"exp\":\"1800003600\"}", CLAIMS_E_DATES},
    {"{\"id\":\"" ID "\",\"exp\":null}", CLAIMS_E_DATES},
    {"{\"id\":\"" ID "\",\"exp\":true}", CLAIMS_E_DATES},
    {"{\"id\":\"" ID "\",\"exp\":[1800003600]}", CLAIMS_E_DATES},
    /* iat, nbf */
    {"{\"id\":\"" ID "\",\"exp\":1800000999,\"iat\":1800000061}", CLAIMS_E_DATES},
    {"{\"id\":\"" ID "\",\"exp\":1800000999,\"iat\":\"now\"}", CLAIMS_E_DATES},
    {"{\"id\":\"" ID "\",\"exp\":1800000999,\"iat\":null}", CLAIMS_E_DATES},
    {"{\"id\":\"" ID "\",\"exp\":1800000999,\"nbf\":1800000001}", CLAIMS_E_DATES},
    {"{\"id\":\"" ID "\",\"exp\":1800000999,\"nbf\":\"1\"}", CLAIMS_E_DATES},
    /* id, sub */
    {"{\"exp\":1800000001}", CLAIMS_E_IDENTITY},
    {"{\"sub\":\"" ID "\",\"exp\":1800000001}", CLAIMS_E_IDENTITY},
    {"{\"id\":7,\"exp\":1800000001}", CLAIMS_E_IDENTITY},
    {"{\"id\":null,\"exp\":1800000001}", CLAIMS_E_IDENTITY},
    {"{\"id\":[\"" ID "\"],\"exp\":1800000001}", CLAIMS_E_IDENTITY},
    {"{\"id\":{\"id\":\"" ID "\"},\"exp\":1800000001}", CLAIMS_E_IDENTITY},
    {"{\"id\":\"\",\"exp\":1800000001}", CLAIMS_E_IDENTITY},
    {"{\"id\":\"1\",\"exp\":1800000001}", CLAIMS_E_IDENTITY},
    {"{\"id\":\"" ID " \",\"exp\":1800000001}", CLAIMS_E_IDENTITY},
    {"{\"id\":\"" ID "\",\"sub\":\"" OTHER "\",\"exp\":1800000001}", CLAIMS_E_IDENTITY},
    {"{\"id\":\"" ID "\",\"sub\":\"\",\"exp\":1800000001}", CLAIMS_E_IDENTITY},
    {"{\"id\":\"" ID "\",\"sub\":null,\"exp\":1800000001}", CLAIMS_E_IDENTITY},
    {"{\"id\":\"" ID "\",\"sub\":7,\"exp\":1800000001}", CLAIMS_E_IDENTITY},
    /* sid */
    {"{\"id\":\"" ID "\",\"sid\":\"\",\"exp\":1800000001}", CLAIMS_E_IDENTITY},
    {"{\"id\":\"" ID "\",\"sid\":null,\"exp\":1800000001}", CLAIMS_E_IDENTITY},
    {"{\"id\":\"" ID "\",\"sid\":[],\"exp\":1800000001}", CLAIMS_E_IDENTITY},
    /* not an object, not JSON, ambiguous */
    {"", UNPARSED},
    {"[]", UNPARSED},
    {"\"id\"", UNPARSED},
    {"{\"id\":\"" ID "\",\"exp\":1800000001", UNPARSED},
    {"{\"id\":\"" ID "\",\"exp\":1800000001} x", UNPARSED},
    {"{\"id\":\"" OTHER "\",\"id\":\"" ID "\",\"exp\":1800000001}", UNPARSED},
    {"{\"id\":\"" ID "\",\"exp\":99999999999999999999999}", UNPARSED},
    {"{\"id\":\"" ID "\",\"exp\":1e999}", UNPARSED},
    {"{\"id\":\"" ID "\\u0000\",\"exp\":1800000001}", UNPARSED},
    {"{\"id\":\"" ID "\",\"exp\":NaN}", UNPARSED},
};

static int check(bp_str text, struct claims *ret_claims)
{
    json_t *object = claims_parse(text);
    if (!object)
        return UNPARSED;
    int status = claims_check(object, NOW, ret_claims);
    json_decref(object);
    return status;
}

Test(claims, table)
{
    bp_uuid id;
    cr_assert(bp_uuid_parse(BP_STR(ID), &id));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct claims claims = {.expires = 7};
        int status = check(bp_str_of(cases[i].json), &claims);
        cr_expect(status == cases[i].status, "%s: %d, not %d", cases[i].json, status, cases[i].status);
        if (status == 0)
            cr_expect(bp_uuid_eq(&claims.user_id, &id) && claims.expires > NOW, "%s", cases[i].json);
        else
            cr_expect(claims.expires == 7, "untouched on failure: %s", cases[i].json);
    }
}

Test(claims, expiry_is_exact)
{
    struct claims claims;
    cr_assert_eq(check(BP_STR("{\"id\":\"" ID "\",\"exp\":1800000123}"), &claims), 0);
    cr_expect_eq(claims.expires, 1800000123000);
    json_t *object = claims_parse(BP_STR("{\"id\":\"" ID "\",\"exp\":1800000123}"));
    cr_expect_eq(claims_check(object, 1800000122999, &claims), 0);
    cr_expect_eq(claims_check(object, 1800000123000, &claims), CLAIMS_E_EXPIRED);
    json_decref(object);
}

Test(claims, nesting_and_nul)
{
    char deep[64];
    for (size_t depth = 15; depth <= 16; depth++) { /* arrays in the one object */
        size_t len = (size_t)snprintf(deep, sizeof(deep), "{\"x\":%.*s%.*s}", (int)depth, "[[[[[[[[[[[[[[[[[[[[",
                                      (int)depth, "]]]]]]]]]]]]]]]]]]]]");
        json_t *object = claims_parse(bp_str_n(deep, len));
        cr_expect((object != NULL) == (depth == 15), "%zu", depth);
        json_decref(object);
    }
    json_t *object = claims_parse(BP_STR("{\"x\":\"[[[[[[[[[[[[[[[[[[[[\\\"[[[\"}"));
    cr_expect(object != NULL, "brackets in a string are text");
    json_decref(object);
    cr_expect(claims_parse(BP_STR("{\"x\":1\0}")) == NULL);
}
