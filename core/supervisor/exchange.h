/* SPDX-License-Identifier: MIT */
/* The region of shared memory through which a worker answers what does not fit into a message. */
#ifndef CORE_SUPERVISOR_EXCHANGE_H
#define CORE_SUPERVISOR_EXCHANGE_H

#define EXCHANGE_REGION "core.exchange"
#define EXCHANGE_VERSION 1u
#define EXCHANGE_SIZE ((size_t)4 << 20)

#endif
