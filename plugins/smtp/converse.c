/* SPDX-License-Identifier: MIT */
#include "converse.h"

#include <curl/curl.h>
#include <stdio.h>

#include "backplane/status.h"

_Static_assert(BP_MAIL_WHY >= CURL_ERROR_SIZE, "libcurl writes that much");

struct reading {
    const char *at;
    size_t left;
};

static size_t read_message(char *buffer, size_t size, size_t count, void *argument)
{
    struct reading *reading = argument;
    size_t len = size * count < reading->left ? size * count : reading->left;
    memcpy(buffer, reading->at, len);
    reading->at += len;
    reading->left -= len;
    return len;
}

static void set_options(CURL *curl, struct conversation *with, struct reading *reading, struct curl_slist *recipients)
{
    static const long encryptions[] = {[ENCRYPTION_REQUIRED] = CURLUSESSL_ALL,
                                       [ENCRYPTION_OPPORTUNISTIC] = CURLUSESSL_TRY,
                                       [ENCRYPTION_NONE] = CURLUSESSL_NONE};
    curl_easy_setopt(curl, CURLOPT_URL, with->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(with->timeout / BP_MILLISECOND));
    curl_easy_setopt(curl, CURLOPT_USE_SSL, encryptions[with->encryption]);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, with->mail->from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_message);
    curl_easy_setopt(curl, CURLOPT_READDATA, reading);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, with->why);
    if (with->user[0] != '\0') {
        curl_easy_setopt(curl, CURLOPT_USERNAME, with->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, with->password);
    }
    if (with->ca_file[0] != '\0')
        curl_easy_setopt(curl, CURLOPT_CAINFO, with->ca_file);
}

int converse(void *argument)
{
    struct conversation *with = argument;
    char to[400];
    long answer = 0;
    struct reading reading = {with->mail->message, strlen(with->mail->message)};
    (void)snprintf(to, sizeof(to), "<%s>", with->mail->to);
    with->why[0] = '\0';
    struct curl_slist *recipients = curl_slist_append(NULL, to);
    CURL *curl = recipients ? curl_easy_init() : NULL;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (curl) {
        set_options(curl, with, &reading, recipients);
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(recipients);
    if (code == CURLE_OK)
        return 0;
    if (with->why[0] == '\0')
        (void)snprintf(with->why, sizeof(with->why), "%s", curl_easy_strerror(code));
    /* 5yz: not to be repeated (RFC 5321 4.2.1); of logging in it may be a mistake that somebody mends. */
    return answer >= 500 && answer < 600 && code != CURLE_LOGIN_DENIED ? BP_MAIL_E_REFUSED : BP_ERROR;
}
