/* SPDX-License-Identifier: MIT */
/* A connection URL as Prisma writes it: with parameters that libpq does not know, and refuses. */
#ifndef IMPORT_PRISMA_URL_H
#define IMPORT_PRISMA_URL_H

#include <stdbool.h>

#define URL_SIZE 2048
#define SCHEMA_SIZE 64

/* url without Prisma's own parameters, of which ?schema= is given back ("" without). False: it is too long. */
bool url_for_libpq(const char *url, char ret_url[URL_SIZE], char ret_schema[SCHEMA_SIZE]);

#endif
