/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * prober.h: the one process that looks after the servers beside the traffic: it
 * checks them and writes on the board what it finds. It carries no client, so
 * its death costs no session; what it found stays.
 */
#ifndef PROBER_H
#define PROBER_H

#include <stdbool.h>

#include "board/board.h"
#include "config/conf.h"
#include "log/log.h"

struct prober;

/* Does this configuration ask for anything that it does? */
bool	prober_is_needed(const struct conf *);

/*
 * Set it up, with its privileges dropped. *channel* leads to the master, and is
 * the prober's from now on. NULL when it cannot be done; the log says why.
 */
struct prober *prober_new(struct conf *, struct board *, struct log *,
	    int channel);

/* Look after them until told to stop. Returns as worker_loop() does. */
int	prober_loop(struct prober *);

void	prober_free(struct prober *);

#endif
