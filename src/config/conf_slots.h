/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_slots.h: the configuration takes its slots on the board.
 */
#ifndef CONF_SLOTS_H
#define CONF_SLOTS_H

#include <stdint.h>

#include "board/board.h"
#include "config/conf.h"

/*
 * Give all servers, pools and listeners that have a name their slots on the
 * board, for this generation of the configuration; *oldest* is the oldest that
 * still has workers. A server at another address than before has another slot:
 * sessions at the old one do not count. NULL, or what there are too many of for
 * the board: servers, pools, listeners.
 */
const char *conf_assign_slots(struct conf *, struct board *,
	    uint64_t generation, uint64_t oldest);

/*
 * This generation serves: these are no longer checked. Not before, since the
 * generation before goes by what is known of them until then.
 */
void	conf_forget_unchecked(const struct conf *, struct board *);

#endif
