/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * children.h: workers and prober as the master sees them: born, told things,
 * mourned, and born again.
 */
#ifndef CHILDREN_H
#define CHILDREN_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "child.h"
#include "conf.h"
#include "instance.h"
#include "log.h"

/* What children_count() counts. */
struct census {
	unsigned	serving, draining;	/* workers */
	unsigned	sessions;
};

struct children {
	struct conf	*conf;
	struct board	*board;
	int		 board_fd;	/* to pass it on by */
	struct log	*log;
	struct instance	*instance;
	int		 report;	/* to the shell; -1: none */
	uint32_t	 generation;	/* of those to come */
	uint32_t	 latest;	/* the last number given to one */
	bool		 hold;		/* those to come wait for children_go() */
	uint32_t	 log_since;	/* the first that logs where we do now */
	struct child	 prober;
	bool		 prober_again;	/* another one after this */
	struct child	 at[BOARD_WORKERS];	/* workers, by slot */
};

/* Nobody yet. The caller sets all members above the children. */
void	children_init(struct children *);

/*
 * Fork a worker into a free slot. Returns 0, or -1 with errno set: ENOSPC when
 * all slots are taken, else the slot is tried again when it is due. In the new
 * process it does not return.
 */
int	children_add(struct children *);

/* Drain the youngest slot's worker. -1: it is the last one. */
int	children_remove(struct children *);

/*
 * Wait until all workers of this generation could accept. -1: there are fewer than
 * the configuration asks for, one died, or took more than *ms*.
 */
int	children_wait_ready(struct children *, int ms);

/*
 * Whoever was held accepts from now on, and whoever comes later at once.
 */
void	children_go(struct children *);

/*
 * A new generation stands: drain those before. Returns when they have closed
 * their listeners, or after *ms*: then one of them is stuck. How many there were.
 */
unsigned children_retire_old(struct children *, int ms);

/* The new generation came to nothing: kill it, and go on with the one *before*. */
void	children_abandon_new(struct children *, uint32_t before);

/*
 * Bury the dead and set their slots due. Returns how many of them said that it
 * is hopeless (WORKER_HOPELESS).
 */
unsigned children_reap(struct children *);

/* Fork what is due. */
void	children_respawn(struct children *);

/*
 * Have a prober for the present configuration, if that needs one: soon, with
 * children_respawn(), and not before the one that runs has ended. What is not
 * checked any more is forgotten.
 */
void	children_set_prober(struct children *);

/* End it with this signal, and have none any more. */
void	children_end_prober(struct children *, int sig);

/* Milliseconds until children_respawn() has work; -1: nothing is due. */
int	children_next_due(const struct children *);

/* Send *sig* to all workers; *leaving*: they are meant to end. */
void	children_signal(struct children *, int sig, bool leaving);

/* Hand the log's new descriptor to all that log to this target. */
void	children_new_log(struct children *);

/*
 * Look whether the workers turn their loops. One that has not for *patience*
 * looks in a row is stuck: it gets SIGABRT, after as many again SIGKILL. One
 * that somebody has stopped is left alone.
 */
void	children_watch(struct children *, unsigned patience);

void	children_count(const struct children *, struct census *);

/* Workers now, and slots that have one or wait for one. */
unsigned children_alive(const struct children *);
unsigned children_wanted(const struct children *);

/* Is there any process left? */
bool	children_left(const struct children *);

#endif
