/* SPDX-License-Identifier: MIT */
/* From a recorded reply to bytes (RFC 9112 4, RFC 9110 8.6). */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/buffer.h"
#include "core/http/connection.h"
#include "core/http/request.h"
#include "core/http/server_internal.h"

bp_str reply_reason(unsigned status)
{
    if (status == 200)
        return BP_STR("OK");
    static const struct {
        unsigned status;
        bp_str reason;
    } reasons[] = {
        {201, BP_STR_INIT("Created")},
        {202, BP_STR_INIT("Accepted")},
        {204, BP_STR_INIT("No Content")},
        {206, BP_STR_INIT("Partial Content")},
        {207, BP_STR_INIT("Multi-Status")},
        {301, BP_STR_INIT("Moved Permanently")},
        {302, BP_STR_INIT("Found")},
        {303, BP_STR_INIT("See Other")},
        {304, BP_STR_INIT("Not Modified")},
        {307, BP_STR_INIT("Temporary Redirect")},
        {308, BP_STR_INIT("Permanent Redirect")},
        {400, BP_STR_INIT("Bad Request")},
        {401, BP_STR_INIT("Unauthorized")},
        {403, BP_STR_INIT("Forbidden")},
        {404, BP_STR_INIT("Not Found")},
        {405, BP_STR_INIT("Method Not Allowed")},
        {406, BP_STR_INIT("Not Acceptable")},
        {408, BP_STR_INIT("Request Timeout")},
        {409, BP_STR_INIT("Conflict")},
        {410, BP_STR_INIT("Gone")},
        {412, BP_STR_INIT("Precondition Failed")},
        {413, BP_STR_INIT("Content Too Large")},
        {414, BP_STR_INIT("URI Too Long")},
        {415, BP_STR_INIT("Unsupported Media Type")},
        {417, BP_STR_INIT("Expectation Failed")},
        {422, BP_STR_INIT("Unprocessable Content")},
        {428, BP_STR_INIT("Precondition Required")},
        {429, BP_STR_INIT("Too Many Requests")},
        {431, BP_STR_INIT("Request Header Fields Too Large")},
        {500, BP_STR_INIT("Internal Server Error")},
        {501, BP_STR_INIT("Not Implemented")},
        {502, BP_STR_INIT("Bad Gateway")},
        {503, BP_STR_INIT("Service Unavailable")},
        {504, BP_STR_INIT("Gateway Timeout")},
        {505, BP_STR_INIT("HTTP Version Not Supported")},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return BP_STR("");
}

/* "Date: …\r\n", made once a second. */
static bp_str reply_date_line(bp_date now)
{
    static _Thread_local char line[64];
    static _Thread_local size_t len;
    static _Thread_local bp_date second = -1;
    now /= 1000;
    if (now != second) {
        static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
        time_t t = (time_t)now;
        struct tm tm;
        gmtime_r(&t, &tm);
        /* IMF-fixdate (RFC 9110 5.6.7); strftime would follow the locale. */
        len = (size_t)snprintf(line, sizeof(line), "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n",
                               days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour,
                               tm.tm_min, tm.tm_sec);
        second = now;
    }
    return bp_str_n(line, len);
}

/* Inline, so that a literal's length is known where it is copied. */
static inline __attribute__((always_inline)) char *put(char *at, bp_str text)
{
    if (text.len > 0)
        memcpy(at, text.ptr, text.len);
    return at + text.len;
}

static char *put_number(char *at, uint64_t number)
{
    char digits[20];
    return put(at, bp_str_u64(number, digits));
}

bool reply_encode(struct bp_request *rq, struct buffer *out, bool keep_alive)
{
    bool bodiless = rq->status == 204 || rq->status == 304;
    bp_str reason = reply_reason(rq->status), date = reply_date_line(loop_date(rq->connection->server->loop));
    size_t need = 256 + reason.len + date.len + rq->content_type.len + rq->content.len;
    for (uint32_t i = 0; i < rq->header_count; i++)
        need += rq->headers[i].name.len + rq->headers[i].value.len + 4;
    if (!buffer_reserve(out, need))
        return false;
    char *start = out->ptr + out->len, *at = start;
    at = put(at, BP_STR("HTTP/1.1 "));
    at = put_number(at, rq->status);
    *at++ = ' ';
    at = put(at, reason);
    at = put(at, BP_STR("\r\n"));
    at = put(at, date);
    if (rq->content_type.len > 0 && !bodiless) {
        at = put(at, BP_STR("Content-Type: "));
        at = put(at, rq->content_type);
        at = put(at, BP_STR("\r\n"));
    }
    for (uint32_t i = 0; i < rq->header_count; i++) {
        const struct reply_header *header = &rq->headers[i];
        at = put(at, header->name.ptr ? bp_str_n(header->name.ptr, header->name.len + header->value.len + 4)
                                      : header->value);
    }
    if (rq->streaming) {
        if (rq->chunked)
            at = put(at, BP_STR("Transfer-Encoding: chunked\r\n"));
    } else if (!bodiless) {
        at = put(at, BP_STR("Content-Length: "));
        at = put_number(at, rq->content.len);
        at = put(at, BP_STR("\r\n"));
    }
    if (!keep_alive)
        at = put(at, BP_STR("Connection: close\r\n"));
    else if (rq->head.minor == 0)
        at = put(at, BP_STR("Connection: keep-alive\r\n"));
    at = put(at, BP_STR("\r\n"));
    rq->head_bytes = (uint64_t)(at - start);
    if (!rq->streaming && !bodiless && rq->head.method != BP_HEAD) {
        at = put(at, rq->content);
        rq->body_bytes = rq->content.len;
    }
    out->len += (size_t)(at - start);
    return true;
}
