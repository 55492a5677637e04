/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * prober.h: the process that watches the servers beside the traffic: it checks
 * them, looks their names up, and writes the results on the board. It carries
 * no client, so its death costs no session, and the results stay.
 */
#ifndef PROBER_H
#define PROBER_H

#include <stdbool.h>

#include "board/board.h"
#include "config/conf.h"
#include "log/log.h"

struct prober;

/* True if this configuration needs a prober. */
bool	prober_is_needed(const struct conf *);

/*
 * Sets it up, with its privileges dropped. *channel* leads to the master and
 * belongs to the prober from now on. NULL after a failure, which is logged.
 */
struct prober *prober_new(struct conf *, struct board *, struct log *,
	    int channel);

/* Watches the servers until told to stop. Returns as worker_loop(). */
int	prober_loop(struct prober *);

void	prober_free(struct prober *);

#endif
