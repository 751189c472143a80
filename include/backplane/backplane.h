/* SPDX-License-Identifier: MIT */
/* All that a plugin may include. Interfaces of services are in backplane/iface/. */
#ifndef BACKPLANE_H
#define BACKPLANE_H

#include "backplane/answer.h"
#include "backplane/arena.h"
#include "backplane/clock.h"
#include "backplane/endpoints.h"
#include "backplane/field.h"
#include "backplane/hash.h"
#include "backplane/health.h"
#include "backplane/log.h"
#include "backplane/metric.h"
#include "backplane/network.h"
#include "backplane/plugin.h"
#include "backplane/reply.h"
#include "backplane/request.h"
#include "backplane/route.h"
#include "backplane/shared.h"
#include "backplane/slot.h"
#include "backplane/status.h"
#include "backplane/str.h"
#include "backplane/trace.h"
#include "backplane/uuid.h"
#include "backplane/wait.h"

#endif
