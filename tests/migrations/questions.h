/* SPDX-License-Identifier: MIT */
/* All that a server can be asked, so that its database is. */
#ifndef TESTS_MIGRATIONS_QUESTIONS_H
#define TESTS_MIGRATIONS_QUESTIONS_H

#include "command.h"

/* The API's resources in all their ways, then what plugins do by themselves: each has done it at least once. */
void questions_ask(int port, const struct place *place);

#endif
