/* SPDX-License-Identifier: MIT */
/* The options of server: { … }; docs/configuration.md is made from them. */
#include "backplane/shared.h"
#include "core/config/listen.h"

#define S struct config_server

static const char *const profiles[] = {"development", "production", NULL};
static const char *const levels[] = {"debug", "info", "warn", "error", NULL}; /* enum bp_level */
static const char *const formats[] = {"auto", "json", "text", NULL};          /* enum log_format */

const struct bp_field config_listen_rows[] = {
    BP_TEXT(struct listen_text, address, .flags = BP_REQUIRED, .example = "127.0.0.1:3000",
            .doc = "Where to listen: \"host:port\" (\"*:3000\" for every address, \"[::1]:3000\" for IPv6, port 0 for "
                   "any free port), \"unix:/path\" for a socket file, or \"fd:3\" for an inherited socket."),
    BP_TEXT(struct listen_text, name, .example = "metrics",
            .doc =
                "Keeps the socket for the `routes` entries with this `listener`; nothing else is served there. Several "
                "sockets may share a name."),
    BP_U32(struct listen_text, backlog, .def = "1024", .min = 1, .max = 65535,
           .doc = "How many connections the kernel keeps waiting until a worker accepts them."),
    BP_TEXT(struct listen_text, mode, .def = "0660", .example = "0600",
            .doc = "Permissions of the socket file of a \"unix:\" address, in octal and in quotes."),
    BP_BOOL(struct listen_text, proxy_protocol, .def = "false",
            .doc = "Every connection begins with a header of the PROXY protocol, version 2, that names its client. "
                   "Connections from elsewhere than server.trusted_proxies, and without such a header, are closed."),
    BP_TEXT(struct listen_text, when, .example = "METRICS_LISTEN",
            .doc = "Keeps the entry only while this environment variable, or one of several with a space between them, "
                   "is set and not empty."),
    BP_TEXT(struct listen_text, unless,
            .doc = "Drops the entry while this environment variable, or one of several, is set and not empty."),
    BP_END};

static const char *const refusals[] = {"excluded", "unlisted", "never", NULL};     /* enum accept_refusal */
static const char *const proxy_headers[] = {"x-forwarded-for", "forwarded", NULL}; /* enum forwarded_header */

static const struct bp_field network_rows[] = {{.name = "", .type = BP_TYPE_TEXT, .max = 4000, .label = "Network"},
                                               BP_END};

const struct bp_field config_server_rows[] = {
    BP_ARRAY(S, listen, struct listen_text, config_listen_rows, .min = 1, .max = 16,
             .doc = "The sockets to listen on; 127.0.0.1:3000 when the setting is left out."),
    BP_U32(S, workers, .def = "0", .max = CONFIG_WORKERS_MAX,
           .doc = "How many worker processes serve requests; 0 starts one for each CPU that the container may use."),
    BP_U32(S, job_workers, .def = "0", .max = CONFIG_JOB_WORKERS_MAX,
           .doc = "How many worker processes more run the jobs of the queue and whatever else happens in the "
                  "background. With "
                  "0, jobs wait for another server on the same database that has some."),
    BP_TEXT(
        S, data, .def = "var", .min = 1, .example = "/var/lib/backplane",
        .doc =
            "The folder for everything written at run time: databases, the pid file, a secret made for development."),
    BP_TEXT(S, secret, .def = "", .flags = BP_SECRET,
            .doc = "What keys of the server's own are derived from, such as that of the cursors of lists: the same for "
                   "all replicas. Empty: made up at the start, for as long as the server runs."),
    BP_TEXT(
        S, plugin_path, .def = "",
        .doc =
            "A folder with plugins' .so files of your own, looked into before the one of the shipped plugins (beside "
            "the executable, else the installed one)."),
    BP_CHOICE(S, profile, .choices = profiles, .def = "development",
              .doc = "What kind of deployment this is: in production plugins refuse settings that are fit only for "
                     "development, such as a missing secret."),
    BP_CHOICE(S, log_level, .choices = levels, .def = "info", .doc = "The least important events that are logged."),
    BP_CHOICE(S, log_format, .choices = formats, .def = "auto",
              .doc = "How log lines look; auto is text on a terminal and JSON elsewhere."),
    BP_TEXT(
        S, audit_log, .def = "", .max = 4000, .example = "audit.log",
        .doc =
            "Where security events are written (logins, refusals, changes of accounts, rights and keys): empty, among "
            "the "
            "other lines of the log, with \"stream\":\"audit\"; \"stdout\"; or a file (relative to the data folder), "
            "opened again on SIGUSR1."),
    BP_ARRAY(
        S, trusted_proxies, bp_str, network_rows, .max = 64, .example = "10.0.0.0/8",
        .doc =
            "The networks of the proxies in front of the server: \"10.0.0.0/8\", \"::1\", or \"unix\" for whoever "
            "connects to a socket file; several in one text are separated by commas. What they say about the client is "
            "believed; of nobody, when left out."),
    BP_CHOICE(S, proxy_header, .choices = proxy_headers, .def = "x-forwarded-for",
              .doc = "Where those proxies name the client: X-Forwarded-For (and X-Forwarded-Proto), or Forwarded (RFC "
                     "7239). The other one is never looked at, because a client could send it through them."),
    BP_U32(S, max_connections, .def = "16384", .min = 1, .max = 1000000,
           .doc = "Connections that one worker keeps open; further ones wait in the backlog."),
    BP_SIZE(S, max_target, .def = "8192", .min = 64, .max = 1048576,
            .doc = "The longest request target (path and query) accepted; longer ones get 414."),
    BP_SIZE(S, max_field, .def = "16KiB", .min = 256, .max = 1048576,
            .doc = "The longest single header field accepted; longer ones get 431."),
    BP_SIZE(S, max_head, .def = "32KiB", .min = 1024, .max = 4194304,
            .doc = "The largest request head (request line and all header fields) accepted; larger ones get 431."),
    BP_U32(S, max_fields, .def = "100", .min = 8, .max = 1000,
           .doc = "The most header fields that a request may have; more get 431."),
    BP_SIZE(S, max_trailer, .def = "8KiB", .min = 256, .max = 1048576,
            .doc = "The largest trailer section after a chunked body that is accepted."),
    BP_SIZE(S, body_limit, .def = "10MiB", .min = 1, .max = INT64_C(1) << 32,
            .doc = "The largest request body accepted where a route sets no limit of its own; larger ones get 413."),
    BP_CHOICE(S, not_acceptable, .choices = refusals, .def = "excluded",
              .doc =
                  "Which Accept of a request for JSON is answered with 406. excluded: one that gives JSON the weight 0 "
                  "(\"text/html, */*;q=0\"); the rest gets JSON all the same, as RFC 9110 12.5.1 allows. unlisted: "
                  "also one that does not list it (\"text/html\"). never: none."),
    BP_TEXT(S, problem_base, .def = "", .max = 1000, .example = "https://example.com/errors.html#",
            .doc =
                "What stands before the code in the type of a problem (RFC 9457), so that it leads to where codes are "
                "explained. Empty: the type is about:blank."),
    BP_SPAN(S, head_timeout, .def = "10s", .min = BP_MILLISECOND, .max = BP_HOUR,
            .doc = "How long a client may take to send a whole request head, from the connection's start or, on a kept "
                   "connection, from its first byte."),
    BP_SPAN(S, idle_timeout, .def = "75s", .min = BP_MILLISECOND, .max = BP_DAY,
            .doc = "How long a kept connection may stay idle between requests before it is closed."),
    BP_SPAN(S, body_timeout, .def = "30s", .min = BP_MILLISECOND, .max = BP_HOUR,
            .doc = "How long a request body may make no progress before the request gets 408."),
    BP_SPAN(S, write_timeout, .def = "30s", .min = BP_MILLISECOND, .max = BP_HOUR,
            .doc = "How long a client may read nothing of a waiting reply before its connection is closed."),
    BP_SPAN(S, request_timeout, .def = "30s", .min = BP_MILLISECOND, .max = BP_DAY,
            .doc = "How long handling a request may take before it gets 504; streams are exempt."),
    BP_SPAN(S, fin_grace, .def = "1s", .max = BP_HOUR,
            .doc = "How long a request goes on after its client has finished sending, before it is cancelled."),
    BP_SIZE(S, write_buffer, .def = "256KiB", .min = 4096, .max = 67108864,
            .doc = "Queued output of one connection at which no more is read from it and streams wait."),
    BP_SPAN(S, drain_delay, .def = "0s", .max = BP_HOUR,
            .doc =
                "How long to go on accepting after readiness fails on shutdown, so that load balancers notice; 5s in "
                "Kubernetes."),
    BP_SPAN(S, drain_timeout, .def = "10s", .max = BP_DAY,
            .doc = "How long requests may finish on shutdown before they are cut off."),
    BP_SPAN(S, stall_timeout, .def = "10s", .min = 2 * BP_SECOND, .max = BP_HOUR,
            .doc = "How long a worker's event loop may be blocked before the worker is replaced."),
    BP_SPAN(S, restart_backoff_max, .def = "30s", .min = 100 * BP_MILLISECOND, .max = BP_HOUR,
            .doc = "The longest pause before a worker that keeps dying is started again."),
    BP_SPAN(S, reload_timeout, .def = "30s", .min = BP_SECOND, .max = BP_HOUR,
            .doc =
                "How long the check of a reload may take, and again the start of its workers, before it is given up."),
    BP_U32(S, quarantine_after, .def = "3", .min = 1, .max = 1000,
           .doc =
               "After so many crashes within a minute a plugin that is marked optional is left out, until a reload."),
    BP_SIZE(S, worker_memory, .def = "0", .max = INT64_C(1) << 40,
            .doc = "A worker with more memory of its own than this is exchanged for a fresh one, without a request "
                   "lost; 0: however much it has."),
    BP_U32(S, offload_threads, .def = "2", .min = 1, .max = 64,
           .doc = "Threads of each worker for CPU-heavy or blocking work, such as hashing passwords."),
    BP_U32(S, offload_queue, .def = "64", .min = 1, .max = 65536,
           .doc = "Jobs that may wait for those threads; further ones get 503 with Retry-After."),
    BP_SIZE(S, shared_memory, .def = "256MiB", .min = 1048576, .max = INT64_C(1) << 40,
            .doc = "Virtual size of the memory that the workers share; only what is used takes real memory."),
    BP_END};
