/* SPDX-License-Identifier: MIT */
/* What stands between the server and Postgres fails: the network, in the middle of an answer above all; a pooler. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site.h"
#include "tests/support/http.h"
#include "tests/support/service.h"

TestSuite(postgres_network, .timeout = 280);

static struct site site;

/* Wherever in the answers it is: in the first byte, in a row, between the rows and the end of the transaction. */
static void cut_in_mid_answer(enum site_way way)
{
    static const unsigned bytes[] = {1, 5, 20, 47, 300, 1111, 6000};
    site_start(&site, &(struct site_options){.way = way});
    for (unsigned round = 0; round < site_rounds(20); round++)
        for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
            long long end = service_milliseconds() + SITE_DOWN_MILLISECONDS;
            fault_proxy_cut_after(site.proxy, bytes[i] + 13 * round, i % 2 == 0);
            while (!fault_proxy_has_cut(site.proxy) && service_milliseconds() < end)
                service_breathe();
            cr_assert(fault_proxy_has_cut(site.proxy));
            cr_expect(clients_wait_served(site.clients, 3, SITE_BACK_MILLISECONDS));
        }
    site_expect_back(&site);
    site_end(&site);
}

Test(postgres_network, is_cut_in_mid_answer)
{
    cut_in_mid_answer(SITE_PROXY);
}

/* The pooler has not got the answer, and what it says of it is no word of Postgres. */
Test(postgres_network, is_cut_behind_the_pooler)
{
    cut_in_mid_answer(SITE_PGBOUNCER_PROXY);
}

Test(postgres_network, is_gone_for_a_while)
{
    site_start(&site, &(struct site_options){.way = SITE_PROXY});
    for (unsigned round = 0; round < site_rounds(10); round++) {
        fault_proxy_refuse(site.proxy);
        site_expect_down(&site);
        fault_proxy_pass(site.proxy);
        site_expect_back(&site);
    }
    site_end(&site);
}

/* Packets go nowhere, and no reset comes: only time tells. */
Test(postgres_network, is_a_black_hole)
{
    site_start(&site, &(struct site_options){.way = SITE_PROXY,
                                             .arguments = {"--set", "plugins.main.statement_timeout=500ms", "--set",
                                                           "plugins.main.connect_timeout=1s"}});
    for (unsigned round = 0; round < site_rounds(5); round++) {
        fault_proxy_black_hole(site.proxy);
        site_expect_down(&site);
        fault_proxy_pass(site.proxy);
        site_expect_back(&site);
    }
    site_end(&site);
}

Test(postgres_network, is_slow)
{
    site_start(&site, &(struct site_options){.way = SITE_PROXY});
    fault_proxy_delay(site.proxy, 50);
    cr_expect(clients_wait_served(site.clients, 3, SITE_DOWN_MILLISECONDS));
    cr_expect_eq(clients_refused(site.clients) + clients_unknown(site.clients) + clients_timed_out(site.clients), 0);
    fault_proxy_pass(site.proxy);
    site_expect_back(&site);
    site_end(&site);
}

Test(postgres_network, the_pooler_is_restarted)
{
    site_start(&site, &(struct site_options){.way = SITE_PGBOUNCER});
    for (unsigned round = 0; round < site_rounds(10); round++) {
        pgbouncer_kill(&site.pgbouncer);
        site_expect_down(&site);
        pgbouncer_again(&site.pgbouncer);
        site_expect_back(&site);
    }
    site_end(&site);
}

Test(postgres_network, postgres_is_killed_behind_the_pooler)
{
    site_start(&site, &(struct site_options){.way = SITE_PGBOUNCER});
    for (unsigned round = 0; round < site_rounds(10); round++) {
        postgres_kill(&site.postgres);
        site_expect_down(&site);
        postgres_again(&site.postgres);
        site_expect_back(&site);
    }
    site_end(&site);
}

/* Fewer connections than the workers would like: they take turns. */
Test(postgres_network, the_pooler_has_two_connections)
{
    site_start(&site, &(struct site_options){.way = SITE_PGBOUNCER, .pgbouncer = "default_pool_size = 2"});
    cr_expect(clients_wait_served(site.clients, 20, SITE_DOWN_MILLISECONDS));
    cr_expect_eq(clients_refused(site.clients) + clients_unknown(site.clients) + clients_timed_out(site.clients), 0);
    site_end(&site);
}
