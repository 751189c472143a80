/* SPDX-License-Identifier: MIT */
#include "exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

/* ---- what libcurl calls ---- */

static size_t receive_field(char *bytes, size_t size, size_t count, void *argument)
{
    return received_field(argument, bytes, size * count);
}

static size_t receive_body(char *bytes, size_t size, size_t count, void *argument)
{
    return received_body(argument, bytes, size * count);
}

/* Each time it connects, after the name was resolved: what is decided here cannot be evaded by a name that resolves to something else later. */
static curl_socket_t open_socket(void *argument, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct exchange *exchange = argument;
    (void)purpose;
    if ((exchange->request->flags & BP_HTTP_GUARDED) && !guard_allows(&exchange->client->guard, &address->addr)) {
        memcpy(&exchange->refused, &address->addr,
               address->addrlen < sizeof(exchange->refused) ? address->addrlen : sizeof(exchange->refused));
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void exchange_ended(void *argument, CURLcode code)
{
    struct exchange *exchange = argument;
    exchange->code = code;
    bp_event_set(&exchange->ended);
}

/* ---- the request ---- */

static bool add_field(struct exchange *exchange, const char *line)
{
    struct curl_slist *longer = line ? curl_slist_append(exchange->fields, line) : NULL;
    if (longer)
        exchange->fields = longer;
    return longer != NULL;
}

static bool has_field(const struct bp_http_request *request, bp_str name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (bp_str_eq_nocase(request->headers[i].name, name))
            return true;
    return false;
}

struct injection {
    struct exchange *exchange;
    bool fine;
};

static void inject(void *argument, const char *name, bp_str value)
{
    struct injection *injection = argument;
    bp_str line = bp_arena_printf(injection->exchange->arena, "%s: %" BP_STR_FMT, name, BP_STR_ARG(value));
    injection->fine = injection->fine && add_field(injection->exchange, line.ptr);
}

/* The trace goes on there; but not with those whom users have chosen. */
static bool add_trace(struct exchange *exchange)
{
    struct injection injection = {.exchange = exchange, .fine = true};
    if (!(exchange->request->flags & BP_HTTP_GUARDED) && !has_field(exchange->request, BP_STR("traceparent")))
        bp_trace_inject(inject, &injection);
    return injection.fine;
}

static bool add_fields(struct exchange *exchange)
{
    const struct bp_http_request *request = exchange->request;
    bool fine = add_field(exchange, "Expect:"); /* nothing is asked for first */
    for (size_t i = 0; i < request->header_count && fine; i++) {
        const struct bp_http_header *header = &request->headers[i];
        /* libcurl's way to say that a field has no value. */
        const char *format = header->value.len > 0 ? "%" BP_STR_FMT ": %" BP_STR_FMT : "%" BP_STR_FMT ";%" BP_STR_FMT;
        fine = add_field(
            exchange,
            bp_arena_printf(exchange->arena, format, BP_STR_ARG(header->name), BP_STR_ARG(header->value)).ptr);
    }
    if (fine && !has_field(request, BP_STR("content-type")))
        fine = add_field(exchange, "Content-Type:"); /* libcurl would claim that it is a form */
    if (fine && !has_field(request, BP_STR("user-agent")))
        fine = add_field(exchange, bp_arena_printf(exchange->arena, "User-Agent: backplane/%s", bp_version()).ptr);
    return fine && add_trace(exchange);
}

/* What is set as a text is copied by libcurl; the body is not. */
static bool set_method(struct exchange *exchange)
{
    const struct bp_http_request *request = exchange->request;
    CURL *easy = exchange->easy;
    bool get = request->method.len == 0 || bp_str_is(request->method, "GET"), head = bp_str_is(request->method, "HEAD");
    if (head)
        return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
    if (request->body.ptr || bp_str_is(request->method, "POST") || bp_str_is(request->method, "PUT") ||
        bp_str_is(request->method, "PATCH")) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.ptr ? request->body.ptr : "");
    }
    bp_str method = get ? BP_STR("GET") : request->method, text = bp_arena_copy(exchange->arena, method);
    return text.ptr && curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, text.ptr) == CURLE_OK;
}

static bool set_authorities(struct exchange *exchange)
{
    bp_str file = exchange->request->ca_file.len > 0 ? exchange->request->ca_file : exchange->client->ca_file;
    bp_str text = bp_arena_copy(exchange->arena, file);
    return text.ptr && (file.len == 0 || curl_easy_setopt(exchange->easy, CURLOPT_CAINFO, text.ptr) == CURLE_OK);
}

static void set_limits(struct exchange *exchange)
{
    CURL *easy = exchange->easy;
    const struct bp_http_request *request = exchange->request;
    const char *schemes = request->flags & BP_HTTP_TLS_ONLY ? "https" : "http,https";
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, schemes);
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, schemes);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request->redirects > 0 ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)(request->redirects < 32 ? request->redirects : 32));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(exchange->client->connect_timeout / BP_MILLISECOND));
    /* By the length that the head says; what says none is cut by received_body(). */
    if (!bp_str_is(request->method, "HEAD") && !exchange->received.cuts)
        curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)exchange->received.body_max);
}

int exchange_open(struct exchange *exchange)
{
    CURL *easy = exchange->easy = curl_easy_init();
    uint64_t max = exchange->request->response_max;
    exchange->received.body_max = max > 0 && max < INT64_MAX ? max : exchange->client->response_max;
    exchange->received.cuts = (exchange->request->flags & BP_HTTP_CUT) != 0;
    if (!easy || !add_fields(exchange) || !set_method(exchange) || !set_authorities(exchange) ||
        curl_easy_setopt(easy, CURLOPT_URL, exchange->url.ptr) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK) /* nor one of the environment */
        return BP_NOMEM;
    set_limits(exchange);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->fields);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A look-up that is given up is not waited for. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, receive_field);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange->received);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange->received);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    return 0;
}

/* ---- the response ---- */

/* A server that answers by something else than HTTP has been asked; a URL of another scheme asks nobody. */
static int scheme_condition(const struct exchange *exchange)
{
    long asked = 0, redirects = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_REQUEST_SIZE, &asked);
    curl_easy_getinfo(exchange->easy, CURLINFO_REDIRECT_COUNT, &redirects);
    return asked > 0 && redirects == 0 && exchange->request->redirects == 0 ? BP_HTTP_E_RESPONSE : BP_HTTP_E_URL;
}

static int write_condition(const struct received *received)
{
    return received->no_memory ? BP_NOMEM : received->cut ? 0 : BP_HTTP_E_TOO_LARGE;
}

static int condition_of(const struct exchange *exchange)
{
    switch (exchange->code) {
    case CURLE_OK:
        return 0;
    case CURLE_OUT_OF_MEMORY:
        return BP_NOMEM;
    case CURLE_WRITE_ERROR:
        return write_condition(&exchange->received);
    case CURLE_FILESIZE_EXCEEDED:
        return BP_HTTP_E_TOO_LARGE;
    case CURLE_URL_MALFORMAT:
        return BP_HTTP_E_URL;
    case CURLE_UNSUPPORTED_PROTOCOL:
        return scheme_condition(exchange);
    case CURLE_COULDNT_RESOLVE_HOST:
        return BP_HTTP_E_NAME;
    case CURLE_COULDNT_CONNECT:
        return exchange->refused.ss_family != 0 ? BP_HTTP_E_ADDRESS : BP_HTTP_E_CONNECT;
    case CURLE_OPERATION_TIMEDOUT: /* there is no limit but that of connecting */
        return BP_HTTP_E_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return BP_HTTP_E_TLS;
    case CURLE_SSL_CACERT_BADFILE:
        return BP_HTTP_E_FILE;
    case CURLE_TOO_MANY_REDIRECTS:
        return BP_HTTP_E_TOO_MANY_REDIRECTS;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return BP_HTTP_E_RESPONSE;
    default:
        return BP_HTTP_E_SENT;
    }
}

static bp_str why_refused(const struct exchange *exchange)
{
    char text[INET6_ADDRSTRLEN] = "?";
    const struct sockaddr_storage *refused = &exchange->refused;
    const void *bytes = refused->ss_family == AF_INET6
                            ? (const void *)&((const struct sockaddr_in6 *)(const void *)refused)->sin6_addr
                            : (const void *)&((const struct sockaddr_in *)(const void *)refused)->sin_addr;
    (void)inet_ntop(refused->ss_family, bytes, text, sizeof(text));
    return bp_arena_printf(exchange->arena, "%s is not an address of the public internet", text);
}

static bp_str why_of(const struct exchange *exchange, int condition)
{
    if (condition == BP_HTTP_E_ADDRESS)
        return why_refused(exchange);
    if (condition == BP_HTTP_E_TOO_LARGE)
        return bp_arena_printf(exchange->arena, "the response is larger than %llu bytes",
                               (unsigned long long)exchange->received.body_max);
    const char *text = exchange->error[0] != '\0' ? exchange->error : curl_easy_strerror(exchange->code);
    return bp_arena_copy(exchange->arena, bp_str_of(text));
}

int exchange_result(const struct exchange *exchange, struct bp_http_response *response)
{
    long answer = 0;
    int condition = condition_of(exchange);
    if (condition > 0)
        response->why = why_of(exchange, condition);
    if (condition != 0)
        return condition > 0 && !response->why.ptr ? BP_NOMEM : condition;
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &answer);
    response->status = (unsigned)answer;
    return received_response(&exchange->received, exchange->arena, response);
}

void exchange_close(struct exchange *exchange)
{
    curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->fields);
    received_deinit(&exchange->received);
}
