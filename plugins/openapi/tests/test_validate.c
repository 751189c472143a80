/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "validate.h"

static const char document_text[] =
    "{\"components\":{\"schemas\":{\"Item\":{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{"
    "\"id\":{\"type\":\"string\",\"format\":\"uuid\"},\"at\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"},"
    "\"n\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":3},\"word\":{\"type\":\"string\",\"enum\":[\"a\",\"b\"]},"
    "\"list\":{\"type\":\"array\",\"maxItems\":2,\"items\":{\"type\":\"string\",\"maxLength\":2}},\"ok\":{\"const\":"
    "true},"
    "\"any\":{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]},\"free\":{\"type\":\"object\"}}}}}}";

#define ID "\"id\":\"0199f0c2-7d5e-7c1a-9b64-3f1d2a5c8e70\""

Test(validate, table)
{
    static const struct {
        const char *value, *why; /* NULL: it is right */
    } cases[] = {
        {"{" ID "}", NULL},
        {"{" ID ",\"at\":null,\"n\":3,\"word\":\"b\",\"list\":[\"\",\"\xc3\xa4\xc3\xa4\"]}", NULL},
        {"{" ID ",\"ok\":true,\"any\":null,\"free\":{\"x\":1}}", NULL},
        {"{" ID ",\"at\":\"2026-01-31T12:00:00.000Z\",\"any\":7}", NULL},
        {"[]", "it is not of the type object"},
        {"{}", "it lacks the member id"},
        {"{\"id\":\"x\"}", "/id is not of the format uuid"},
        {"{\"id\":null}", "/id is not of the type string"},
        {"{" ID ",\"more\":1}", "it has a member that is not documented: more"},
        {"{" ID ",\"at\":\"yesterday\"}", "/at is not of the format date-time"},
        {"{" ID ",\"at\":1}", "/at is of none of its types"},
        {"{" ID ",\"n\":0}", "/n is out of bounds"},
        {"{" ID ",\"n\":4}", "/n is out of bounds"},
        {"{" ID ",\"n\":1.5}", "/n is not of the type integer"},
        {"{" ID ",\"word\":\"c\"}", "/word is none of the values that it may have"},
        {"{" ID ",\"list\":[\"a\",\"b\",\"c\"]}", "/list is out of bounds"},
        {"{" ID ",\"list\":[\"a\",\"abc\"]}", "/list/1 is out of bounds"},
        {"{" ID ",\"ok\":false}", "/ok is not the value that it always has"},
        {"{" ID ",\"any\":\"x\"}", "/any is not of the type null"},
    };
    json_t *document = json_loads(document_text, 0, NULL),
           *schema = json_pack("{s:s}", "$ref", "#/components/schemas/Item");
    cr_assert(document && schema);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char why[VALIDATE_WHY] = "";
        json_t *value = json_loads(cases[i].value, 0, NULL);
        cr_assert(value, "%s", cases[i].value);
        cr_expect_eq(validate(document, schema, value, why), cases[i].why == NULL, "%s", cases[i].value);
        cr_expect_str_eq(why, cases[i].why ? cases[i].why : "", "%s", cases[i].value);
        json_decref(value);
    }
    char why[VALIDATE_WHY] = "";
    json_t *nowhere = json_pack("{s:s}", "$ref", "#/components/schemas/Nothing");
    cr_expect(!validate(document, nowhere, document, why));
    cr_expect_str_eq(why, "it refers to a schema that is not there: #/components/schemas/Nothing");
    json_decref(nowhere);
    json_decref(schema);
    json_decref(document);
}
