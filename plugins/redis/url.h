/* SPDX-License-Identifier: MIT */
/* Where the server is and who asks, read from a URL. Knows no socket. */
#ifndef REDIS_URL_H
#define REDIS_URL_H

#include "backplane/str.h"

#define ENDPOINT_USER 128u
#define ENDPOINT_PASSWORD 2560u /* tokens of cloud providers are long */
#define ENDPOINT_HOST 256u
#define ENDPOINT_NAME 288u
#define URL_ERROR 160u

struct redis_endpoint {
    bool tls, local; /* local: host is the path of a Unix socket */
    bool has_user, has_password, has_database;
    uint16_t port;
    uint32_t database;
    char host[ENDPOINT_HOST]; /* a name, an address without brackets, or a path */
    char user[ENDPOINT_USER];
    char password[ENDPOINT_PASSWORD];
    char name[ENDPOINT_NAME]; /* for logs, nothing secret: "127.0.0.1:6379/0" */
};

/* redis://[[user]:password@]host[:port][/database], rediss:// (TLS), unix://[[user]:password@]/path[?db=database] and its
 * other names redis+unix, redis-socket, redis+socket. Everything may be percent-encoded. False: error says why (without any part
 * that may be secret), and *ret_endpoint is as it was. */
bool endpoint_parse(bp_str url, struct redis_endpoint *ret_endpoint, char error[URL_ERROR]);
/* After a change of the database: names it anew. */
void endpoint_rename(struct redis_endpoint *endpoint);

#endif
