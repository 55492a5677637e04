/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * reload.h: from one configuration to the next without losing a connection.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include <sys/types.h>

#include "config/conf.h"
#include "config/diagnostics.h"
#include "config/options.h"
#include "master/lookups.h"
#include "master/process_table.h"

enum reload_state {
	RELOAD_IDLE,
	RELOAD_NAMES,			/* names of hosts are looked up */
	RELOAD_START,			/* new workers come */
	RELOAD_CLOSE			/* they serve; the old ones close */
};

struct reload {
	enum reload_state state;
	struct conf	*conf;		/* what runs: old, then new */
	struct conf	 other;		/* new, then old */
	struct process_table	*children;
	struct lookups	 lookups;
	enum options_action action;	/* what was read asks for */
	struct diagnostics diagnostics;	/* of what was read */
	uint64_t	 deadline;	/* of RELOAD_CLOSE */
	unsigned	 old;		/* workers that drain for it */
	bool		 failed;	/* the last one */
	bool		 cancelled;	/* the service ends */
	char		 why[1200];	/* what went wrong */
};

/* *conf* is what it was, or the new one, from then on. */
void	reload_init(struct reload *, struct conf *, struct process_table *);

/*
 * Begin to read the configuration again, from where it came, and to go over to
 * it in two steps. First all of it is made: parsed, checked, its sockets and log
 * opened, its workers started; an error undoes that, leaves everything as it was,
 * and is logged. Then the generation before is drained.
 */
void	reload_begin(struct reload *);

/* A process has ended. False: it is none of the reload's. */
bool	reload_reaped(struct reload *, pid_t);

/* Go on with it. True: it has ended by now, *failed* or not. */
bool	reload_turn(struct reload *);

/* Milliseconds until it has to go on; -1: not by the clock. */
int	reload_wait(const struct reload *);

/* The service ends: leave it, if it is not done. */
void	reload_cancel(struct reload *);

#endif
