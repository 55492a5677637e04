/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_seats.h: the configuration takes its seats on the board.
 */
#ifndef CONF_SEATS_H
#define CONF_SEATS_H

#include <stdint.h>

#include "board/board.h"
#include "config/conf.h"

/*
 * Give all backends, pools and listeners that have a name their seats on the
 * board, for this generation of the configuration; *oldest* is the oldest that
 * still has workers. A backend at another address than before has another seat:
 * sessions at the old one do not count. NULL, or what there are too many of for
 * the board: backends, pools, listeners.
 */
const char *conf_sit_down(struct conf *, struct board *, uint64_t generation,
	    uint64_t oldest);

/*
 * This generation serves: these are no longer checked. Not before, since the
 * generation before goes by what is known of them until then.
 */
void	conf_forget_unchecked(const struct conf *, struct board *);

#endif
