/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LINE 57u /* bytes that make 76 characters of base64 */
#define BASE64 sodium_base64_VARIANT_ORIGINAL

bool message_address_valid(bp_str address)
{
    if (address.len == 0 || address.len > MESSAGE_ADDRESS_MAX || !memchr(address.ptr, '@', address.len))
        return false;
    for (size_t i = 0; i < address.len; i++) {
        unsigned char c = (unsigned char)address.ptr[i];
        if (c <= ' ' || c >= 0x7f || c == '<' || c == '>' || c == ',' || c == ';' || c == '"' || c == '\\')
            return false;
    }
    return true;
}

bool message_subject_valid(bp_str subject)
{
    for (size_t i = 0; i < subject.len; i++)
        if ((unsigned char)subject.ptr[i] < ' ' || subject.ptr[i] == 0x7f)
            return false;
    return subject.len > 0 && subject.len <= MESSAGE_SUBJECT_MAX;
}

/* Encoded words (RFC 2047) of 45 bytes at most, cut between characters. */
static void put_subject(FILE *out, bp_str subject)
{
    bool ascii = true;
    for (size_t i = 0; i < subject.len; i++)
        ascii = ascii && (unsigned char)subject.ptr[i] < 0x80;
    if (ascii && subject.len <= 66) {
        (void)fprintf(out, "Subject: %" BP_STR_FMT "\r\n", BP_STR_ARG(subject));
        return;
    }
    (void)fputs("Subject:", out);
    for (size_t at = 0; at < subject.len;) {
        char text[sodium_base64_ENCODED_LEN(45, BASE64)];
        bp_str word = bp_utf8_cut(bp_str_n(subject.ptr + at, subject.len - at), 45);
        sodium_bin2base64(text, sizeof(text), (const unsigned char *)word.ptr, word.len, BASE64);
        (void)fprintf(out, "%s =?UTF-8?B?%s?=", at > 0 ? "\r\n" : "", text);
        at += word.len;
    }
    (void)fputs("\r\n", out);
}

static void put_date(FILE *out, bp_date date)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(date / 1000);
    struct tm tm;
    (void)gmtime_r(&seconds, &tm);
    (void)fprintf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
                  tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

char *message_make(bp_str from, bp_str to, bp_str subject, bp_str text, bp_date date, const bp_uuid *id)
{
    char *bytes = NULL, name[BP_UUID_LEN], encoded[sodium_base64_ENCODED_LEN(LINE, BASE64)];
    size_t size;
    FILE *out = open_memstream(&bytes, &size);
    if (!out)
        return NULL;
    const char *at = memchr(from.ptr, '@', from.len);
    bp_str domain = at ? bp_str_n(at, from.len - (size_t)(at - from.ptr)) : BP_STR("@localhost");
    bp_uuid_format(id, name);
    (void)fprintf(out, "From: <%" BP_STR_FMT ">\r\nTo: <%" BP_STR_FMT ">\r\n", BP_STR_ARG(from), BP_STR_ARG(to));
    put_subject(out, subject);
    put_date(out, date);
    (void)fprintf(out,
                  "Message-ID: <%.*s%" BP_STR_FMT ">\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n"
                  "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
                  (int)BP_UUID_LEN, name, BP_STR_ARG(domain));
    for (size_t start = 0; start < text.len; start += LINE) {
        size_t len = text.len - start < LINE ? text.len - start : LINE;
        sodium_bin2base64(encoded, sizeof(encoded), (const unsigned char *)text.ptr + start, len, BASE64);
        (void)fprintf(out, "%s\r\n", encoded);
    }
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(bytes);
        return NULL;
    }
    return bytes;
}
