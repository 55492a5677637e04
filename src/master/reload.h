/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* reload.h: replaces the configuration without losing a connection. */
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
	RELOAD_NAMES,			/* host names are resolved */
	RELOAD_START,			/* new workers start */
	RELOAD_CLOSE			/* they serve; the old ones close */
};

struct reload {
	enum reload_state state;
	struct conf	*conf;		/* running: old, then new */
	struct conf	 other;		/* new, then old */
	struct process_table	*children;
	struct lookups	 lookups;
	enum options_action action;	/* requested by the options */
	struct diagnostics diagnostics;	/* of the new configuration */
	uint64_t	 deadline;	/* of RELOAD_CLOSE */
	unsigned	 old;		/* workers that drain for it */
	bool		 failed;	/* the last one has failed */
	bool		 cancelled;	/* the service ends */
	char		 why[1200];	/* reason of a failure */
};

/* *conf* is the running configuration, before and after a reload. */
void	reload_init(struct reload *, struct conf *, struct process_table *);

/*
 * Starts to read the configuration again and to switch to it in two steps.
 * First all of it is made: parsed, checked, its sockets and log opened, its
 * workers started; an error undoes that, leaves everything as it was, and is
 * logged. Then the old generation is drained.
 */
void	reload_begin(struct reload *);

/* A process has ended. False: it does not belong to the reload. */
bool	reload_reaped(struct reload *, pid_t);

/* Continues it. True: it has ended now, *failed* or not. */
bool	reload_turn(struct reload *);

/* The time in ms until it must continue; -1: not by the clock. */
int	reload_wait(const struct reload *);

/* The service ends: cancels it, if it is not finished. */
void	reload_cancel(struct reload *);

#endif
