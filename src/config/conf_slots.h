/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* conf_slots.h: assigns slots of the board to a configuration. */
#ifndef CONF_SLOTS_H
#define CONF_SLOTS_H

#include <stdint.h>

#include "board/board.h"
#include "config/conf.h"

/*
 * Assigns slots to all servers, pools and named listeners, for this generation
 * of the configuration; *oldest* is the oldest that still has workers. A server
 * at another address than before gets another slot, because sessions at the old
 * address do not count. Returns NULL, or the plural of what exceeds the board:
 * servers, pools, listeners.
 */
const char *conf_assign_slots(struct conf *, struct board *,
	    uint64_t generation, uint64_t oldest);

/*
 * This generation serves: clears the health of servers that are not checked any
 * more. Not earlier, because the generation before uses it until then.
 */
void	conf_forget_unchecked(const struct conf *, struct board *);

#endif
