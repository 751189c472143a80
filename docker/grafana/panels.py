# SPDX-License-Identifier: MIT
"""What the dashboards show, as data: docker/grafana/generate makes dashboards/*.json of it.

A panel is (title, unit, what to do when it looks bad, queries, further keys); a query is (expression, legend). In an expression

    SERVER   the servers that the variables $job and $instance choose
    ROUTE    their requests, without probes and scrapes, of the routes that $route chooses

stand between braces for label matchers. A metric's own label "instance" (the name of a plugin's entry) comes as exported_instance.
"""

REQUESTS = "http_server_request_duration_seconds"
STATEMENTS = "db_client_operation_duration_seconds"
POOL, STATE = "db_client_connection_pool_name", "db_client_connection_state"
PEOPLE = 'http_route!~"/health/.*|/metrics"'  # no probes, no scrapes
# Streams last for as long as their clients like: they are no requests that wait for something.
ACTIVE = "sum by (instance) (http_server_active_requests{SERVER})"
IN_FLIGHT = f"{ACTIVE} - (sum by (instance) (backplane_events_streams{{SERVER}}) or 0 * {ACTIVE})"


def quantiles(metric, selector, *also):
    """The median, and what one in twenty and one in a hundred takes longer than."""
    by = ", ".join(("le", *also))
    legend = " ".join(f"{{{{{label}}}}}" for label in also)
    return [(f"histogram_quantile({q}, sum by ({by}) (rate({metric}_bucket{{{selector}}}[$__rate_interval])))", f"{legend} {q * 100:g} %".strip())
            for q in (0.5, 0.95, 0.99)]


def rate(metric, selector, *by):
    return f"sum by ({', '.join(by)}) (rate({metric}{{{selector}}}[$__rate_interval]))"


def share(metric, selector, part, by=""):
    """What part of the events has these labels too; 0, not nothing, where none has."""
    total = f"sum{by} (rate({metric}{{{selector}}}[$__rate_interval]))"
    return f"(sum{by} (rate({metric}{{{selector},{part}}}[$__rate_interval])) or 0 * {total}) / {total}"


SERVICE = ("service", "service", "Is it alive, is it slow, does it fail?", ["instance", "route"], [
    ("Servers that answer", "short", "Fewer than should run: TodoBackendAway, TodoBackendInstanceAway in docs/observability.md.",
     [('count(up{job="$job",instance=~"$instance"} == 1)', "answer")], {"kind": "stat", "width": 6}),
    ("Requests a second", "reqps", "None, and servers answer: look at what stands before them (proxy, DNS). A sudden peak: see Routes, and 429 below.",
     [(f"sum(rate({REQUESTS}_count{{ROUTE}}[$__rate_interval]))", "requests")], {"kind": "stat", "width": 6}),
    ("Failed requests", "percentunit", "Above 1 %: TodoBackendErrors in docs/observability.md. Find the route below, then request.failed in the log.",
     [(share(f"{REQUESTS}_count", "ROUTE", 'http_response_status_code=~"5.."'), "5xx")], {"kind": "stat", "width": 6, "limits": (0.001, 0.01)}),
    ("Error budget left, 30 days' pace", "percentunit",
     "The share of a budget of 0.1 % failures that the last hour leaves at this pace; below 0 it is overspent: TodoBackendErrorBudgetFast in docs/observability.md.",
     [('1 - job:http_server_requests:error_ratio_1h{job="$job"} / 0.001', "left")], {"kind": "stat", "width": 6, "below_zero": True}),
    ("Requests by status", "reqps", "5xx: a failure of ours. 429: limits, see Cache and limits. 401 and 403: somebody's token, or guessing. 499: clients that gave up: is it slow?",
     [(rate(f"{REQUESTS}_count", "ROUTE", "http_response_status_code"), "{{http_response_status_code}}")], {"stack": True}),
    ("Failed requests by route", "percentunit", "One route: its handler, look for request.failed in the log. All of them: the database, or the last deployment.",
     [(share(f"{REQUESTS}_count", "ROUTE", 'http_response_status_code=~"5.."', " by (http_route)"), "{{http_route}}")], {}),
    ("Duration", "s", "The dots are requests with a trace: open one. All quantiles rise: CPU or the database. Only 99 %: waiting, see Database. TodoBackendSlow.",
     quantiles(REQUESTS, "ROUTE"), {"exemplars": True}),
    ("Slowest routes, 95 %", "s", "Open the route in Routes; a trace says where the time goes.",
     [(f"topk(5, histogram_quantile(0.95, sum by (le, http_route) (rate({REQUESTS}_bucket{{ROUTE}}[$__rate_interval]))))", "{{http_route}}")], {}),
    ("Requests in flight", "short", "Rises while the rate does not: requests wait for something. See Database, and the trace of a slow one.",
     [(IN_FLIGHT, "{{instance}}")], {}),
    ("Services it needs", "short", "0: that service is away. TodoBackendDependencyDown says what happens meanwhile.",
     [("min by (check) (backplane_health_check_up{SERVER})", "{{check}}")], {"limits_below": 1}),
    ("How fast the error budget burns", "short", "1 spends a budget of 0.1 % in exactly 30 days; above 14.4 over an hour somebody is woken.",
     [(f'job:http_server_requests:error_ratio_{window}{{job="$job"}} / 0.001', window) for window in ("5m", "1h", "6h", "3d")], {}),
    ("Version", "short", "Two versions: a rolling update is under way, or stands still.",
     [("count by (version) (backplane_build_info{SERVER})", "{{version}}")], {}),
])

ROUTES = ("routes", "routes", "Which route is it?", ["instance", "route"], [
    ("Requests", "reqps", "What is not a known route is one series: scanners show there.",
     [(rate(f"{REQUESTS}_count", "ROUTE", "http_request_method", "http_route"), "{{http_request_method}} {{http_route}}")], {"width": 24}),
    ("Duration, 95 %", "s", "A route that is slower than its neighbours: its statements. All: see Runtime and Database.",
     [(f"histogram_quantile(0.95, sum by (le, http_request_method, http_route) (rate({REQUESTS}_bucket{{ROUTE}}[$__rate_interval])))",
       "{{http_request_method}} {{http_route}}")], {"exemplars": True}),
    ("Duration, median", "s", "Rises with the amount of data: a list without a bound, an index that is missing.",
     [(f"histogram_quantile(0.5, sum by (le, http_request_method, http_route) (rate({REQUESTS}_bucket{{ROUTE}}[$__rate_interval])))",
       "{{http_request_method}} {{http_route}}")], {}),
    ("Within 0.25 s", "percentunit", "The second objective: 99 % of all requests. Below: TodoBackendLatencyBudgetFast in docs/observability.md.",
     [(f'sum by (http_route) (rate({REQUESTS}_bucket{{ROUTE,le="0.25"}}[$__rate_interval])) / {rate(f"{REQUESTS}_count", "ROUTE", "http_route")}',
       "{{http_route}}")], {}),
    ("Failures (5xx)", "reqps", "Find request.failed in the log of that time; it has the trace.",
     [(rate(f"{REQUESTS}_count", 'ROUTE,http_response_status_code=~"5.."', "http_route", "http_response_status_code"),
       "{{http_route}} {{http_response_status_code}}")], {}),
    ("Refused by us (4xx)", "reqps", "400, 422: a client that changed. 401: expired tokens. 404: an old address. 429: limits.",
     [(rate(f"{REQUESTS}_count", 'ROUTE,http_response_status_code=~"4.."', "http_route", "http_response_status_code"),
       "{{http_route}} {{http_response_status_code}}")], {}),
    ("Time spent", "percentunit", "Where the server's time goes, waiting included: what to make faster first.",
     [(f"{rate(f'{REQUESTS}_sum', 'ROUTE', 'http_route')} / ignoring(http_route) group_left sum(rate({REQUESTS}_sum{{ROUTE}}[$__rate_interval]))",
       "{{http_route}}")], {"stack": True}),
])

PLUGINS = ("plugins", "plugins", "What do the plugins do?", ["instance"], [
    ("Time of a plugin's hooks", "s", "For each second, waiting included, without what runs within them: which plugin requests spend their time in. One request in 16 is measured.",
     [(f"16 * {rate('backplane_plugin_hook_duration_seconds_sum', 'SERVER', 'plugin', 'hook')}", "{{plugin}} {{hook}}")], {"stack": True}),
    ("A hook's duration, 95 %", "s", "One plugin is slower than it was: its last change, or what it waits for; a trace says which.",
     [("histogram_quantile(0.95, sum by (le, plugin, hook) (rate(backplane_plugin_hook_duration_seconds_bucket{SERVER}[$__rate_interval])))",
       "{{plugin}} {{hook}}")], {}),
    ("Faults of plugins", "ops", "crash and stall end a worker: TodoBackendPluginCrashes. error, unavailable and timeout are replies of 500, 503 and 504: backplane errors.",
     [(rate("backplane_plugin_faults_total", "SERVER", "plugin", "kind"), "{{plugin}} {{kind}}")], {}),
    ("Requests with an Idempotency-Key", "ops", "replayed: clients repeat, so replies got lost. in_flight: they do not wait. mismatch: a client uses a key twice.",
     [(rate("backplane_idempotency_requests_total", "SERVER", "result"), "{{result}}")], {"stack": True}),
    ("Outbound requests", "reqps", "http_client: what we ask of other servers (keys of issuers, the collector). error_type says what went wrong.",
     [(rate("http_client_request_duration_seconds_count", "SERVER", "server_address", "http_response_status_code", "error_type"),
       "{{server_address}} {{http_response_status_code}} {{error_type}}")], {}),
    ("Outbound requests, duration, 95 %", "s", "A slow one makes those wait who need it. Its address is in the legend.",
     [("histogram_quantile(0.95, sum by (le, server_address) (rate(http_client_request_duration_seconds_bucket{SERVER}[$__rate_interval])))",
       "{{server_address}}")], {}),
    ("Outbound requests in flight, and refused", "short", "Refused: too many waited. TodoBackendOutboundRefused.",
     [("sum(http_client_active_requests{SERVER})", "in flight"),
      ("sum(rate(http_client_refused_requests_total{SERVER}[$__rate_interval]))", "refused a second")], {}),
    ("Spans", "ops", "dropped: TodoBackendTracesDropped; requests are not touched. The reason is in the legend.",
     [("sum(rate(backplane_tracing_spans_exported_total{SERVER}[$__rate_interval]))", "exported"),
      (rate("backplane_tracing_spans_dropped_total", "SERVER", "reason"), "dropped: {{reason}}")], {}),
    ("Requests to the collector", "ops", "Anything but ok: tracing.export_failed in the log says the address and why.",
     [(rate("backplane_tracing_exports_total", "SERVER", "result"), "{{result}}")], {}),
    ("Spans that wait", "short", "Near OTEL_BSP_MAX_QUEUE_SIZE times the workers: spans are dropped next.",
     [("sum by (instance) (backplane_tracing_spans_waiting{SERVER})", "{{instance}}")], {}),
    ("Metrics and lines for the collector", "ops", "With OTEL_METRICS_EXPORTER, OTEL_LOGS_EXPORTER. dropped: TodoBackendTelemetryDropped.",
     [(rate("backplane_otlp_exported_total", "SERVER", "signal"), "{{signal}}"),
      (rate("backplane_otlp_dropped_total", "SERVER", "signal", "reason"), "{{signal}} dropped: {{reason}}")], {}),
    ("Health checks", "short", "Times that a service went down, as the workers saw it.",
     [("sum by (check) (increase(backplane_health_check_failures_total{SERVER}[$__rate_interval]))", "{{check}}")], {}),
])

DATABASE = ("database", "database", "Is it the database?", ["instance"], [
    ("Statements", "ops", "By operation. More statements for as many requests: look at a trace.",
     [(rate(f"{STATEMENTS}_count", "SERVER", "db_system_name", "db_operation_name"), "{{db_system_name}} {{db_operation_name}}")], {"stack": True}),
    ("Statements for each request", "short", "Rises after a deployment: a loop of statements.",
     [(f"sum(rate({STATEMENTS}_count{{SERVER}}[$__rate_interval])) / sum(rate({REQUESTS}_count{{SERVER,{PEOPLE}}}[$__rate_interval]))", "statements")], {}),
    ("Duration", "s", "Waiting included. Rises with the queues below: more connections or less work. Without them: the server of the database itself. TodoBackendDatabaseSlow.",
     quantiles(STATEMENTS, "SERVER", "db_system_name"), {"exemplars": True}),
    ("Duration by operation, 95 %", "s", "Reads: an index. Writes: locks, or the disk.",
     [(f"histogram_quantile(0.95, sum by (le, db_operation_name) (rate({STATEMENTS}_bucket{{SERVER}}[$__rate_interval])))", "{{db_operation_name}}")], {}),
    ("Waiting for Postgres", "short", "Statements that wait for their turn, to read or to write. Lasts: TodoBackendDatabaseQueue.",
     [('sum by (exported_instance, queue) (postgres_queue_depth{SERVER,queue!="pool"})', "{{exported_instance}} {{queue}}")], {}),
    ("Connections of the pool", "short", "used at max (DATABASE_POOL times the workers) for long: transactions are slow, or too many. TodoBackendPoolAlmostFull.",
     [(f"sum by ({POOL}, {STATE}) (db_client_connection_count{{SERVER}})", f"{{{{{POOL}}}}} {{{{{STATE}}}}}"),
      (f"sum by ({POOL}) (db_client_connection_max{{SERVER}})", f"{{{{{POOL}}}}} max")], {}),
    ("Waiting for a connection", "short", "Transactions for which the pool has none free. Lasts: TodoBackendPoolSaturated. Timeouts are replies of 503.",
     [(f"sum by ({POOL}) (db_client_connection_pending_requests{{SERVER}})", f"{{{{{POOL}}}}} waiting"),
      (f"sum by ({POOL}) (rate(db_client_connection_timeouts_total{{SERVER}}[$__rate_interval]))", f"{{{{{POOL}}}}} timeouts a second")], {}),
    ("Wait for a connection, 95 %", "s", "Of the transactions that had to wait. Near pool_timeout they are refused next.",
     [(f"histogram_quantile(0.95, sum by (le, {POOL}) (rate(db_client_connection_wait_time_seconds_bucket{{SERVER}}[$__rate_interval])))",
       f"{{{{{POOL}}}}}")], {}),
    ("Waiting for SQLite", "short", "write: the disk is slow, see Duration. Lasts: TodoBackendDatabaseQueue.",
     [("sum by (exported_instance, queue) (sqlite_queue_depth{SERVER})", "{{exported_instance}} {{queue}}")], {}),
    ("Redis answers", "short", "0 is away, for all workers; TodoBackendRedisAway says what happens meanwhile.",
     [("min by (instance, exported_instance) (redis_up{SERVER})", "{{instance}} {{exported_instance}}"),
      ("sum by (instance, exported_instance) (redis_circuit_open{SERVER})", "{{instance}} {{exported_instance}}: workers that stopped asking")], {"limits_below": 1}),
    ("Redis commands", "ops", "Refused: Redis is away, or too many are in flight.",
     [(rate("redis_command_duration_seconds_count", "SERVER", "command"), "{{command}}"),
      ("sum(rate(redis_commands_refused_total{SERVER}[$__rate_interval]))", "refused")], {}),
    ("Redis commands, 95 %", "s", "Above a few milliseconds: the network, or a Redis that does other work.",
     [("histogram_quantile(0.95, sum by (le, command) (rate(redis_command_duration_seconds_bucket{SERVER}[$__rate_interval])))", "{{command}}")], {}),
    ("Redis commands in flight", "short", "Rises: Redis is slow; TodoBackendRedisQueue. Waiting: there is no connection.",
     [("sum by (instance, exported_instance) (redis_commands_in_flight{SERVER})", "{{instance}} {{exported_instance}}"),
      ("sum by (instance, exported_instance) (redis_commands_waiting{SERVER})", "{{instance}} {{exported_instance}}: waiting for a connection")], {}),
    ("Redis failures and new connections", "ops", "New connections all the time: something on the way closes them. The reason of failures is in the legend.",
     [("sum(rate(redis_connections_total{SERVER}[$__rate_interval]))", "connections"),
      (rate("redis_command_failures_total", "SERVER", "reason"), "{{reason}}")], {}),
])

ACCOUNTS = ("accounts", "accounts", "Who gets in, and who does not?", ["instance"], [
    ("Logins", "ops", "failed: passwords are forgotten, or guessed; see the audit log for addresses of clients. locked_out: the limits hold. TodoBackendLoginsFail.",
     [('sum by (outcome) (rate(backplane_auth_attempts_total{SERVER,kind="login"}[$__rate_interval]))', "{{outcome}}")], {"stack": True}),
    ("Sign-ups", "ops", "taken in numbers: somebody asks which addresses have accounts.",
     [('sum by (outcome) (rate(backplane_auth_attempts_total{SERVER,kind="sign_up"}[$__rate_interval]))', "{{outcome}}")], {"stack": True}),
    ("Refreshes", "ops", "reused: a used token came again, stolen or repeated by a client; its session has ended. auth.token_reused in the audit log says whose.",
     [('sum by (outcome) (rate(backplane_auth_attempts_total{SERVER,kind="refresh"}[$__rate_interval]))', "{{outcome}}")], {"stack": True}),
    ("Tokens and API keys", "ops", "expired: clients that do not refresh. ended: log-outs, deleted accounts. invalid: another issuer's or secret's, or made up.",
     [('sum by (kind, outcome) (rate(backplane_auth_attempts_total{SERVER,kind=~"token|api_key"}[$__rate_interval]))', "{{kind}} {{outcome}}")], {"stack": True}),
    ("Passwords hashed", "ops", "Each takes tens of milliseconds of a CPU. A peak without sign-ups: somebody guesses; the limits of logging in hold, see Logins.",
     [("sum(rate(backplane_auth_password_hashes_total{SERVER}[$__rate_interval]))", "hashes")], {}),
    ("Places for hashing", "short", "used at its limit for long: logins wait. More CPUs or replicas, or hash_slots of auth.",
     [("sum by (instance) (backplane_auth_hash_slots{SERVER})", "{{instance}} used"),
      ("sum by (instance) (backplane_auth_hash_slots_limit{SERVER})", "{{instance}} limit")], {}),
    ("Waiting to be hashed", "short", "Lasts: TodoBackendPasswordsWait. Refused are answered with 503: TodoBackendPasswordsRefused.",
     [("sum by (instance) (backplane_auth_hashes_waiting{SERVER})", "{{instance}} waiting"),
      ("sum by (instance) (rate(backplane_auth_hashes_refused_total{SERVER}[$__rate_interval]))", "{{instance}} refused a second")], {}),
])

JOBS = ("jobs", "jobs", "Does what must happen happen?", ["instance"], [
    ("Oldest job that is due", "s", "Rises: TodoBackendJobsWait. Runs below goes on: too few workers for jobs. It stands still: none runs, or the queue is paused.",
     [("max by (queue) (backplane_queue_oldest_job_age_seconds{SERVER})", "{{queue}}")], {}),
    ("Jobs", "short", "waiting: due, scheduled: not yet. dead ones are for somebody to look at: TodoBackendJobsDie.",
     [("max by (queue, state) (backplane_queue_depth{SERVER})", "{{queue}}: {{state}}")], {}),
    ("Runs", "ops", "retry: failed, and tried again later; see below. given_back: a worker was stopped.",
     [(rate("backplane_queue_jobs_total", "SERVER", "outcome"), "{{outcome}}")], {"stack": True}),
    ("Failed runs by kind", "ops", "`backplane jobs list dead` and `backplane jobs show` with an id say why.",
     [('sum by (kind, outcome) (rate(backplane_queue_jobs_total{SERVER,outcome=~"retry|dead"}[$__rate_interval]))', "{{kind}}: {{outcome}}")], {}),
    ("Runs by kind", "ops", "Which are many? A kind of a schedule that has none: no worker knows it, or all are stopped.",
     [(rate("backplane_queue_jobs_total", "SERVER", "kind"), "{{kind}}")], {"stack": True}),
    ("Duration of runs, 95 %", "s", "Near the timeout of a kind: its runs are ended. What it asks, the database or another server, is slow.",
     [("histogram_quantile(0.95, sum by (le, kind) (rate(backplane_queue_job_duration_seconds_bucket{SERVER}[$__rate_interval])))", "{{kind}}")], {}),
    ("Wait until the start", "s", "From when a job could run: milliseconds. Seconds: too few workers for jobs, or a limit of the queue.",
     quantiles("backplane_queue_start_delay_seconds", "SERVER"), {}),
])

EVENTS = ("events", "events and webhooks", "Is told who wants to know what happens?", ["instance"], [
    ("Events", "ops", "Changes of todos and lists, each counted once over all servers. None, while somebody writes: nobody numbers them, see the log for events.",
     [(rate("backplane_events_total", "SERVER", "type"), "{{type}}")], {"stack": True}),
    ("Consumers behind", "s", "Age of the oldest event that a consumer was not given. Rises: TodoBackendConsumerBehind.",
     [("max by (consumer) (backplane_events_consumer_lag_seconds{SERVER})", "{{consumer}}")], {}),
    ("Events kept", "short", "Of the days that retention of events says. Falls: housekeeping has run.",
     [("max(backplane_events_outbox_length{SERVER})", "positions")], {}),
    ("Streams", "short", "Clients of GET /api/v1/events. All gone at once: a proxy, or a deployment; they come back by themselves.",
     [("sum by (instance) (backplane_events_streams{SERVER})", "{{instance}}")], {}),
    ("Streams that ended", "ops", "slow: clients that do not take what they are sent. expired: their token's time is over. failed: the database, or memory.",
     [(rate("backplane_events_streams_ended_total", "SERVER", "end"), "{{end}}")], {"stack": True}),
    ("Events sent to clients", "ops", "Each as often as it was sent. None, while events come and streams are open: see the log for events.",
     [("sum(rate(backplane_events_sent_total{SERVER}[$__rate_interval]))", "sent")], {}),
    ("Clients that must read everything anew", "ops", "They were away for longer than retention of events: many at once cost many lists.",
     [("sum(rate(backplane_events_resyncs_total{SERVER}[$__rate_interval]))", "resync")], {}),
    ("Deliveries of webhooks", "ops", "retried: a receiver fails, and is tried again for days. failed: given up. gone: it asked for no more. `WEBHOOKS` is set, else nothing is here.",
     [(rate("backplane_webhook_deliveries_total", "SERVER", "outcome"), "{{outcome}}")], {"stack": True}),
    ("Duration of deliveries", "s", "Receivers are slow. Near 15 s they are given up for this time, and tried again.",
     quantiles("backplane_webhook_delivery_duration_seconds", "SERVER"), {}),
])

LIMITS = ("limits", "cache and limits", "What is cached, and who is refused?", ["instance"], [
    ("Cache", "ops", "bypass: replies that may not be kept. miss instead of hit after a deployment is right for a while.",
     [(rate("backplane_cache_requests_total", "SERVER", "result"), "{{result}}")], {"stack": True}),
    ("Hits", "percentunit", "Low and evictions high: give it more memory. Low without: what is asked for is written as often.",
     [(share("backplane_cache_requests_total", 'SERVER,result!="bypass"', 'result="hit"'), "hits")], {}),
    ("Memory of the cache", "bytes", "At its bound the oldest replies go: see evictions.",
     [("sum by (instance) (backplane_cache_bytes{SERVER})", "{{instance}}")], {}),
    ("Replies kept", "short", "Falls to none: the server was started.",
     [("sum by (instance) (backplane_cache_entries{SERVER})", "{{instance}}")], {}),
    ("Evictions, and failures of the store", "ops", "Failures: Redis did not answer; each replica remembers for itself.",
     [("sum(rate(backplane_cache_evictions_total{SERVER}[$__rate_interval]))", "evictions"),
      ("sum(rate(backplane_cache_store_failures_total{SERVER}[$__rate_interval]))", "failures of the store")], {}),
    ("Decisions of the limits", "ops", "refused: one client or all? TodoBackendRefused.",
     [(rate("backplane_ratelimit_decisions_total", "SERVER", "stage", "decision"), "{{stage}}: {{decision}}")], {"stack": True}),
    ("Refused", "percentunit", "By stage. base.rate_limit and nearly everybody: all clients look like one, see TRUSTED_PROXIES.",
     [(share("backplane_ratelimit_decisions_total", "SERVER", 'decision="refused"', " by (stage)"), "{{stage}}")], {}),
    ("Limits without their store", "ops", "Redis did not decide: TodoBackendSharedLimitsLost.",
     [("sum by (stage, reason) (rate(backplane_ratelimit_store_failures_total{SERVER}[$__rate_interval]))", "{{stage}}: {{reason}}")], {}),
    ("Clients counted together", "ops", "Raise clients of that stage: TodoBackendLimitTableFull.",
     [("sum by (stage) (rate(backplane_ratelimit_crowded_total{SERVER}[$__rate_interval]))", "{{stage}}")], {}),
])

RUNTIME = ("runtime", "runtime", "Is it the server itself?", ["instance"], [
    ("CPU", "short", "In CPUs. As many as there are: more replicas, or find out what changed.",
     [("sum by (instance) (rate(process_cpu_seconds_total{SERVER}[$__rate_interval]))", "{{instance}}")], {}),
    ("CPU of a request", "s", "The price of a request. Rises after a deployment: profile it.",
     [(f"sum(rate(process_cpu_seconds_total{{SERVER}}[$__rate_interval])) / sum(rate({REQUESTS}_count{{SERVER}}[$__rate_interval]))", "CPU")], {}),
    ("Memory", "bytes", "Resident, pages that workers share in each. Rises without end while the load does not: a leak; note the version, then restart.",
     [("sum by (instance) (process_resident_memory_bytes{SERVER})", "{{instance}}")], {}),
    ("Workers", "short", "Fewer than configured for long: they die as soon as they start, see the log and TodoBackendWorkersDie.",
     [("sum by (instance) (backplane_workers{SERVER})", "{{instance}}")], {}),
    ("Workers replaced", "short", "Each was a crash, an end from outside (memory) or a stall: TodoBackendWorkersDie.",
     [("sum by (instance, reason) (increase(backplane_worker_restarts_total{SERVER}[$__rate_interval]))", "{{instance}} {{reason}}")], {}),
    ("Connections", "short", "Near the limit further ones wait unanswered: TodoBackendConnections.",
     [("sum by (instance) (backplane_connections{SERVER})", "{{instance}}"), ("sum by (instance) (backplane_connections_limit{SERVER})", "{{instance}}: limit")], {}),
    ("New connections", "ops", "As many as requests: clients or the proxy do not keep them open, which costs.",
     [("sum by (instance) (rate(backplane_connections_accepted_total{SERVER}[$__rate_interval]))", "{{instance}}")], {}),
    ("Fibers", "short", "live rises without the rate: requests wait for something.",
     [("sum by (state) (backplane_fibers{SERVER})", "{{state}}"), ("sum(rate(backplane_fibers_started_total{SERVER}[$__rate_interval]))", "started a second")], {}),
    ("Memory of requests", "bytes", "used rises with large bodies and many requests at once; pooled is kept for the next.",
     [("sum by (state) (backplane_arena_bytes{SERVER})", "{{state}}")], {}),
    ("Shared memory, of its limit", "percentunit", "Near 1: limits, counters and the cache find no room; raise server.shared_memory. TodoBackendSharedMemory.",
     [('sum by (instance) (backplane_shared_memory_bytes{SERVER,state="used"}) / sum by (instance) (backplane_shared_memory_bytes{SERVER,state="limit"})',
       "{{instance}}")], {}),
    ("Offloaded work", "short", "queued above 0 for long: hashes of passwords wait for a CPU, see Plugins; refused: TodoBackendOffloadRefused.",
     [("sum by (state) (backplane_offload_jobs{SERVER})", "{{state}}"), ("sum(backplane_offload_threads{SERVER})", "threads"),
      ("sum(rate(backplane_offload_refused_total{SERVER}[$__rate_interval]))", "refused a second")], {}),
    ("Wait of offloaded work", "s", "On average, for a thread. Above the time of a hash: somebody guesses passwords, or there are too few CPUs.",
     [("sum(rate(backplane_offload_wait_seconds_total{SERVER}[$__rate_interval])) / sum(rate(backplane_offload_done_total{SERVER}[$__rate_interval]))", "wait")], {}),
    ("Configuration", "short", "0: what was read last was refused, and the one before runs on: TodoBackendReloadFailed.",
     [("min by (instance) (backplane_config_last_reload_successful{SERVER})", "{{instance}}")], {"limits_below": 1}),
    ("Time since the configuration was taken over", "s", "Falls when somebody reloads: what changed at that time?",
     [("time() - max by (instance) (backplane_config_last_reload_success_timestamp_seconds{SERVER})", "{{instance}}")], {}),
    ("Descriptors, of those allowed", "percentunit", "Near 1 no connection can be accepted: TodoBackendDescriptors.",
     [("sum by (instance) (process_open_fds{SERVER}) / sum by (instance) (process_max_fds{SERVER})", "{{instance}}")], {}),
    ("Time since the start", "s", "Falls: it was started. Falls again and again: TodoBackendRestarts.",
     [("time() - max by (instance) (process_start_time_seconds{SERVER})", "{{instance}}")], {}),
    ("Requests in flight", "short", "Rises without the rate: requests wait, each in a fiber of its own.",
     [(IN_FLIGHT, "{{instance}}")], {}),
    ("Time of a scrape", "s", "Time that Prometheus waits for /metrics. Rises with the number of series beside it.",
     [('scrape_duration_seconds{job="$job",instance=~"$instance"}', "{{instance}}")], {}),
    ("Series", "short", "Bounded. Grows fast: a label has values without end; TodoBackendSeriesOverflow.",
     [('scrape_samples_scraped{job="$job",instance=~"$instance"}', "{{instance}}")], {}),
])

DASHBOARDS = (SERVICE, ROUTES, PLUGINS, DATABASE, ACCOUNTS, JOBS, EVENTS, LIMITS, RUNTIME)
