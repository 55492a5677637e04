/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * process_table.h: workers and prober as the master sees them: born, told things,
 * mourned, and born again.
 */
#ifndef PROCESS_TABLE_H
#define PROCESS_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "board/board.h"
#include "config/conf.h"
#include "event/poller.h"
#include "log/log.h"
#include "master/child.h"
#include "master/runtime_files.h"

/* What children_count() counts. */
struct census {
	unsigned	serving, draining;	/* workers */
	unsigned	sessions;
};

/* Descriptors of the master alone, which no child keeps. */
enum { OWN_SIGNALS, OWN_REPORT, OWN_UPGRADE, OWN_COMPLAINTS,
	    OWN_BARRIER, OWNS };

/* A generation whose workers have not been told to accept; number 0: none. */
struct coming {
	uint32_t	 generation;
	struct conf	*conf;		/* what it runs */
	struct log	*log;		/* and where it logs */
	uint64_t	 began;		/* clock_now_ms() */
	uint64_t	 progress;	/* of the last step that one has made */
	bool		 failed;
};

struct children {
	struct conf	*conf;
	struct board	*board;
	int		 board_fd;	/* to pass it on by */
	struct log	*log;
	struct instance	*instance;
	struct poller	*poller;	/* the master's */
	int		 own[OWNS];	/* -1: not open */
	uint32_t	 generation;	/* the one that serves */
	uint32_t	 latest;	/* the last number given to one */
	struct coming	 coming;
	char		 why[160];	/* what went wrong with it */
	uint32_t	 log_since;	/* the first that logs where we do now */
	struct child	 prober;
	bool		 prober_again;	/* another one after this */
	bool		 prober_overtaken; /* by a configuration */
	uint32_t	 slots;		/* of workers */
	struct child	*at;		/* by slot */
};

/*
 * Nobody yet. The caller sets all members above *coming*. 0, or -1 with errno set.
 * Pair with children_free(), when children_left() says that there are none.
 */
int	children_init(struct children *);
void	children_free(struct children *);

/*
 * Fork a worker of the generation that serves into a free slot. Returns 0, or -1
 * with errno set: ENOSPC when all slots are taken, else the slot is tried again
 * when it is due. In the new process it does not return.
 */
int	children_add(struct children *);

/* Drain the youngest slot's worker. -1: it is the last one. */
int	children_remove(struct children *);

/*
 * Two generations: see process_generation.c. Fork all workers of one to come,
 * which wait to be told. 0, or -1 with *why* set. Pair with one of
 * children_go() and children_abandon() in either case.
 */
int	children_begin(struct children *, uint32_t generation, struct conf *,
	    struct log *);

/*
 * Could all of them accept? 1, or 0: not yet, or -1 with *why* set: one of them has
 * ended, or none has made progress for too long.
 */
int	children_ready(struct children *);

/* Milliseconds until children_ready() may lose patience. */
int	children_patience(const struct children *);

/* It serves from now on: it accepts, and who comes later does so at once. */
void	children_go(struct children *);

/* It came to nothing: kill it. */
void	children_abandon(struct children *);

/* Drain all others. How many there were. */
unsigned children_retire(struct children *);

/* May any of those still accept? */
bool	children_accept(const struct children *);

/*
 * Act on what has come by the channel of a child. False: this is none of them.
 * What one may not say ends it.
 */
bool	children_event(struct children *, int fd);

/* A process has ended, or has been stopped, or goes on: one of ours perhaps. */
void	children_reaped(struct children *, pid_t, int status);

/* Somebody has ended: the kernel may have woken that one for a connection. */
void	children_look(struct children *);

/* Fork what is due, and send what is owed. */
void	children_turn(struct children *);

/* Milliseconds until there is work for that; -1: nothing is due. */
int	children_wait(const struct children *);

/*
 * Have a prober for the present configuration, if that needs one: soon, with
 * children_turn(), and not before the one that runs has ended. What is not
 * checked any more is forgotten.
 */
void	children_set_prober(struct children *);

/* End it with this signal, and have none any more. */
void	children_end_prober(struct children *, int sig);

/* Send *sig* to all workers that were told to accept; *leaving*: they end. */
void	children_signal(struct children *, int sig, bool leaving);

/*
 * max_generations, once there is one more: of all on the board, whose ever they
 * are, the oldest that are too many end within PROCESS_HURRY. The log says which,
 * and which would be next.
 */
void	children_limit(struct children *);

/*
 * What the board says to all generations: those that drain are expected to end as
 * it says. For a master that has put it there, or that is not the one that does.
 */
void	children_heed(struct children *);

/* The service goes on without these: they drain, for reload_timeout at most. */
void	children_drain(struct children *);

/* Hand the log's new descriptor to all that log to this target. */
void	children_new_log(struct children *);

/*
 * Look whether the workers turn their loops. One that has not for *patience*
 * looks in a row is stuck: it gets SIGABRT, after as many again SIGKILL. One
 * that somebody has stopped is left alone.
 */
void	children_watch(struct children *, unsigned patience);

void	children_count(const struct children *, struct census *);

/* Workers now, and slots that have one or wait for one, of those that serve. */
unsigned children_alive(const struct children *);
unsigned children_wanted(const struct children *);

/* Is there any process left? */
bool	children_left(const struct children *);

/*
 * In a new process of the master: let go of what is not its own. The *prober* says
 * on the board what is found of servers, others read that.
 */
void	children_leave(struct children *, bool prober);

/* For children_*.c: the master's part of a worker; its slot and its name. */
bool	children_coming(const struct children *, const struct child *);
int	children_spawn(struct children *, uint32_t slot, uint32_t generation);
int	children_slot(struct children *, uint32_t *slot);
bool	children_slot_is_free(struct board *, uint32_t slot);
void	children_tell(struct children *, struct child *, unsigned what);
void	children_release(struct children *, struct child *);
void	children_end_channel(struct children *, struct child *);

#endif
