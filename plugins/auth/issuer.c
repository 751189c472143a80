/* SPDX-License-Identifier: MIT */
#include "issuer.h"

#include "backplane/iface/http_client.h"

#define DOCUMENT_MAX 262144u
#define PATIENCE (10 * BP_SECOND)
#define FRESH BP_HOUR /* then they are fetched again; */
#define STALE BP_DAY  /* after this long without success they are not believed any more */

/* Certificates protect the keys: without TLS only from this machine. */
static void check_url(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    static const char *const beginnings[] = {"https://",          "http://127.0.0.1:", "http://127.0.0.1/",
                                             "http://localhost:", "http://localhost/", "http://[::1]:",
                                             "http://[::1]/"};
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
        if (bp_str_starts(*(const bp_str *)value, bp_str_of(beginnings[i])))
            return;
    bp_problem_add(problems, row, "auth.jwks_url", "must begin with https://");
}

/* A secret is shared with nobody: HS256 is not among them. */
static void check_algorithm(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    for (size_t i = KEY_RS256; i < KEY_ALGORITHMS; i++)
        if (bp_str_is(*(const bp_str *)value, key_algorithm_names[i]))
            return;
    bp_problem_add(problems, row, "auth.algorithm", "must be RS256, ES256 or EdDSA");
}

static const struct bp_field algorithm_rows[] = {{.name = "", .type = BP_TYPE_TEXT, .check = check_algorithm}, BP_END};

const struct bp_field issuer_option_rows[] = {
    BP_TEXT(struct issuer_option, issuer, .flags = BP_REQUIRED, .min = 1, .max = 1000,
            .doc = "What its tokens say in iss, exactly."),
    BP_TEXT(struct issuer_option, audience, .flags = BP_REQUIRED, .min = 1, .max = 1000,
            .doc = "What its tokens must name in aud: us."),
    BP_TEXT(struct issuer_option, jwks_url, .flags = BP_REQUIRED, .min = 1, .max = 2000, .check = check_url,
            .doc = "Where its keys are."),
    BP_TEXT(struct issuer_option, ca_file, .def = "", .doc = "Authorities in PEM, in place of the system's."),
    BP_ARRAY(struct issuer_option, algorithms, bp_str, algorithm_rows, .max = KEY_ALGORITHMS,
             .doc = "Those that are accepted; left out: RS256, ES256 and EdDSA."),
    BP_BOOL(struct issuer_option, create_users, .def = "true",
            .doc = "Whether whoever comes for the first time gets an account; else his token is refused."),
    BP_SPAN(struct issuer_option, refetch_after, .def = "30s", .min = BP_MILLISECOND, .max = BP_HOUR,
            .doc = "How soon keys may be fetched again."),
    BP_END,
};

static unsigned algorithms_of(const struct issuer_option *option)
{
    unsigned bits = 0;
    for (size_t i = 0; i < option->algorithms.len; i++)
        for (unsigned n = KEY_RS256; n < KEY_ALGORITHMS; n++)
            if (bp_str_is(((const bp_str *)option->algorithms.ptr)[i], key_algorithm_names[n]))
                bits |= 1u << n;
    return bits ? bits : 1u << KEY_RS256 | 1u << KEY_ES256 | 1u << KEY_EDDSA;
}

struct issuer *issuer_find(struct issuer *issuers, size_t count, bp_str name)
{
    for (size_t i = 0; i < count && name.ptr; i++)
        if (bp_str_eq(issuers[i].option->issuer, name))
            return &issuers[i];
    return NULL;
}

static const struct key *find(const struct issuer *issuer, bp_str id)
{
    for (size_t i = 0; i < issuer->count; i++)
        if (bp_str_is(id, issuer->keys[i].id))
            return &issuer->keys[i];
    return NULL;
}

void issuer_deinit(struct issuer *issuer)
{
    for (size_t i = 0; i < issuer->count; i++)
        key_deinit(&issuer->keys[i]);
    issuer->count = 0;
}

/* Those who need the keys that another fiber fetches. */
struct issuer_waiter {
    bp_event event;
    struct issuer_waiter *next;
};

static int wait_for_fetch(struct issuer *issuer)
{
    struct issuer_waiter waiter = {.next = issuer->waiters};
    issuer->waiters = &waiter;
    int status = bp_event_wait(&waiter.event, BP_FOREVER);
    for (struct issuer_waiter **at = &issuer->waiters; *at; at = &(*at)->next)
        if (*at == &waiter) { /* left early: nobody is to wake a dead one */
            *at = waiter.next;
            break;
        }
    return status;
}

static void wake(struct issuer *issuer)
{
    struct issuer_waiter *next;
    for (struct issuer_waiter *waiter = issuer->waiters; waiter; waiter = next) {
        next = waiter->next;
        bp_event_set(&waiter->event);
    }
    issuer->waiters = NULL;
}

static void complain(struct bp_host *host, const struct issuer *issuer, bp_str why)
{
    bp_log(host, BP_LOG_WARN, "auth.jwks_failed", "The keys of an issuer could not be fetched",
           bp_log_str("issuer", issuer->option->issuer), bp_log_str("url", issuer->option->jwks_url),
           bp_log_str("reason", why));
}

/* 0, BP_ERROR with the reason in *ret_why, or another status. Suspends. */
static int fetch(struct bp_service http_client, const struct issuer_option *option, bp_str *ret_document,
                 bp_str *ret_why)
{
    struct bp_http_response response;
    bp_time started = bp_clock();
    int status = bp_http_send(http_client,
                              &BP_HTTP_REQUEST(.url = option->jwks_url, .ca_file = option->ca_file, .timeout = PATIENCE,
                                               .response_max = DOCUMENT_MAX),
                              bp_fiber_arena(), &response);
    /* Too slow; else it is the request that has no more time. */
    bool late = status == BP_TIMEOUT && bp_clock() - started >= PATIENCE;
    if (status < 0 && !late)
        return status;
    if (status == 0 && response.status == 200) {
        *ret_document = response.body;
        return 0;
    }
    *ret_why = status != 0 ? response.why : bp_arena_printf(bp_fiber_arena(), "it answered with %u", response.status);
    return BP_ERROR;
}

/* 0 when it has its keys anew; a failure is logged. */
static int refetch(struct bp_host *host, struct bp_service http_client, struct issuer *issuer)
{
    const struct issuer_option *option = issuer->option;
    struct key keys[ISSUER_KEYS_MAX];
    bp_str document, why;
    issuer->tried = bp_clock();
    issuer->fetching = true;
    int status = fetch(http_client, option, &document, &why);
    issuer->fetching = false;
    size_t count = status == 0 ? jwk_set_read(document, algorithms_of(option), keys) : 0;
    if (status == BP_ERROR)
        complain(host, issuer, why);
    else if (status == 0 && count == 0)
        complain(host, issuer, BP_STR("the document holds no key for the algorithms"));
    else if (status == BP_CANCELED || status == BP_TIMEOUT)
        issuer->tried = 0; /* the client left: the next one tries */
    if (count > 0) {
        issuer_deinit(issuer);
        memcpy(issuer->keys, keys, count * sizeof(keys[0]));
        issuer->count = count;
        issuer->fetched = issuer->tried;
    }
    wake(issuer);
    return status == BP_ERROR ? BP_BUSY : status;
}

int issuer_key(struct bp_host *host, struct bp_service http_client, struct issuer *issuer, bp_str id,
               const struct key **ret_key)
{
    bp_time now = bp_clock();
    if (issuer->count > 0 && now - issuer->fetched > STALE)
        issuer_deinit(issuer);
    const struct key *key = find(issuer, id);
    bool wanted = !key || now - issuer->fetched > FRESH;
    bool allowed = issuer->tried == 0 || now - issuer->tried >= issuer->option->refetch_after;
    if (wanted && (issuer->fetching ? !key : allowed)) {
        int status = issuer->fetching ? wait_for_fetch(issuer) : refetch(host, http_client, issuer);
        if (status < 0 && status != BP_BUSY)
            return status;
        key = find(issuer, id);
    }
    *ret_key = key;
    return issuer->count > 0 ? 0 : BP_BUSY;
}
