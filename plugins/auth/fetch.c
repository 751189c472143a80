/* SPDX-License-Identifier: MIT */
#include "fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "backplane/status.h"
#include "backplane/wait.h"

#define CONNECT_SECONDS 4L
#define SECONDS 10L

struct job {
    const char *url, *ca_file;
    char *bytes;
    size_t len;
    char why[FETCH_WHY];
};

_Static_assert(FETCH_WHY >= CURL_ERROR_SIZE, "libcurl writes that much");

static size_t receive(char *bytes, size_t size, size_t count, void *argument)
{
    struct job *job = argument;
    size_t len = size * count;
    if (len > FETCH_BYTES_MAX - job->len)
        return 0; /* ends the transfer */
    memcpy(job->bytes + job->len, bytes, len);
    job->len += len;
    return len;
}

/* On another thread: sees its job only. */
static int run(void *argument)
{
    struct job *job = argument;
    long status = 0;
    CURL *curl = curl_easy_init();
    if (!curl)
        return BP_NOMEM;
    job->why[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_URL, job->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http"); /* which of them, the options have checked */
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, SECONDS);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)FETCH_BYTES_MAX);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, job);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, job->why);
    if (job->ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, job->ca_file);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK && job->why[0] == '\0')
        (void)snprintf(job->why, sizeof(job->why), "%s", curl_easy_strerror(code));
    if (code == CURLE_OK && status != 200)
        (void)snprintf(job->why, sizeof(job->why), "it answered with %ld", status);
    return code == CURLE_OK && status == 200 ? 0 : BP_ERROR;
}

int fetch(const char *url, const char *ca_file, struct bp_arena *arena, bp_str *ret_body, char ret_why[FETCH_WHY])
{
    struct job job = {.url = url, .ca_file = ca_file, .bytes = malloc(FETCH_BYTES_MAX)};
    if (!job.bytes)
        return BP_NOMEM;
    int status = bp_offload(run, &job);
    if (status == BP_ERROR)
        memcpy(ret_why, job.why, sizeof(job.why));
    if (status == 0) {
        bp_str body = bp_arena_copy(arena, bp_str_n(job.bytes, job.len));
        if (body.ptr)
            *ret_body = body;
        else
            status = BP_NOMEM;
    }
    free(job.bytes);
    return status;
}
