/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "message.h"

Test(message, addresses_and_subjects)
{
    static const struct {
        const char *text;
        bool address, subject;
    } cases[] = {
        {"ada@example.com", true, true},
        {"", false, false},
        {"ada", false, true},
        {"ada@example.com\r\nBcc: eve@example.com", false, false},
        {"ada@example.com>\nRCPT TO:<eve@example.com", false, false},
        {"ada@example.com,eve@example.com", false, true},
        {"<ada@example.com>", false, true},
        {"a da@example.com", false, true},
        {"ada@example.com\x7f", false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(message_address_valid(bp_str_of(cases[i].text)), cases[i].address, "%s", cases[i].text);
        cr_expect_eq(message_subject_valid(bp_str_of(cases[i].text)), cases[i].subject, "%s", cases[i].text);
    }
}

Test(message, made)
{
    bp_uuid id;
    cr_assert(bp_uuid_parse(BP_STR("0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f"), &id));
    char *message = message_make(BP_STR("no-reply@example.com"), BP_STR("ada@example.org"), BP_STR("Hello"),
                                 BP_STR("Dear Ada,\n\nwelcome.\n"), INT64_C(1795377319000), &id);
    cr_expect_str_eq(message, "From: <no-reply@example.com>\r\n"
                              "To: <ada@example.org>\r\n"
                              "Subject: Hello\r\n"
                              "Date: Sun, 22 Nov 2026 19:55:19 +0000\r\n"
                              "Message-ID: <0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f@example.com>\r\n"
                              "MIME-Version: 1.0\r\n"
                              "Auto-Submitted: auto-generated\r\n"
                              "Content-Type: text/plain; charset=utf-8\r\n"
                              "Content-Transfer-Encoding: base64\r\n"
                              "\r\n"
                              "RGVhciBBZGEsCgp3ZWxjb21lLgo=\r\n");
    free(message);
    message = message_make(BP_STR("a@b.cd"), BP_STR("c@d.ef"), BP_STR("Grüße"), BP_STR("x"), 0, &id);
    cr_expect(strstr(message, "Subject: =?UTF-8?B?R3LDvMOfZQ==?=\r\n"), "%s", message);
    free(message);
}
