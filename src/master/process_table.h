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

/* What process_table_count() counts. */
struct process_counts {
	unsigned	serving, draining;	/* workers */
	unsigned	sessions;
};

/* Descriptors of the master alone, which no child keeps. */
enum { OWN_SIGNALS, OWN_REPORT, OWN_UPGRADE, OWN_DIAGNOSTICS,
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

struct process_table {
	struct conf	*conf;
	struct board	*board;
	int		 board_fd;	/* to pass it on by */
	struct log	*log;
	struct runtime_files	*instance;
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
 * Pair with process_table_free(), when process_table_left() says that there are
 * none.
 */
int	process_table_init(struct process_table *);
void	process_table_free(struct process_table *);

/*
 * Fork a worker of the generation that serves into a free slot. Returns 0, or -1
 * with errno set: ENOSPC when all slots are taken, else the slot is tried again
 * when it is due. In the new process it does not return.
 */
int	process_table_add(struct process_table *);

/* Drain the youngest slot's worker. -1: it is the last one. */
int	process_table_remove(struct process_table *);

/*
 * Two generations: see process_generation.c. Fork all workers of one to come,
 * which wait to be told. 0, or -1 with *why* set. Pair with one of
 * process_generation_go() and process_generation_abandon() in either case.
 */
int	process_generation_begin(struct process_table *, uint32_t generation,
	    struct conf *, struct log *);

/*
 * Could all of them accept? 1, or 0: not yet, or -1 with *why* set: one of them has
 * ended, or none has made progress for too long.
 */
int	process_generation_ready(struct process_table *);

/* Milliseconds until process_generation_ready() may lose patience. */
int	process_generation_patience(const struct process_table *);

/* It serves from now on: it accepts, and who comes later does so at once. */
void	process_generation_go(struct process_table *);

/* It came to nothing: kill it. */
void	process_generation_abandon(struct process_table *);

/* Drain all others. How many there were. */
unsigned process_generation_retire(struct process_table *);

/* May any of those still accept? */
bool	process_generation_accept(const struct process_table *);

/*
 * Act on what has come by the channel of a child. False: this is none of them.
 * What one may not say ends it.
 */
bool	process_channel_event(struct process_table *, int fd);

/* A process has ended, or has been stopped, or goes on: one of ours perhaps. */
void	process_table_reaped(struct process_table *, pid_t, int status);

/* Somebody has ended: the kernel may have woken that one for a connection. */
void	process_table_look(struct process_table *);

/* Fork what is due, and send what is owed. */
void	process_table_turn(struct process_table *);

/* Milliseconds until there is work for that; -1: nothing is due. */
int	process_table_wait(const struct process_table *);

/*
 * Have a prober for the present configuration, if that needs one: soon, with
 * process_table_turn(), and not before the one that runs has ended. What is not
 * checked any more is forgotten.
 */
void	process_table_set_prober(struct process_table *);

/* End it with this signal, and have none any more. */
void	process_table_end_prober(struct process_table *, int sig);

/* Send *sig* to all workers that were told to accept; *leaving*: they end. */
void	process_table_signal(struct process_table *, int sig, bool leaving);

/*
 * max_generations, once there is one more: of all on the board, whose ever they
 * are, the oldest that are too many end within PROCESS_HURRY. The log says which,
 * and which would be next.
 */
void	process_table_limit(struct process_table *);

/*
 * What the board says to all generations: those that drain are expected to end as
 * it says. For a master that has put it there, or that is not the one that does.
 */
void	process_table_heed(struct process_table *);

/* The service goes on without these: they drain, for reload_timeout at most. */
void	process_table_drain(struct process_table *);

/* Hand the log's new descriptor to all that log to this target. */
void	process_channel_new_log(struct process_table *);

/*
 * Look whether the workers turn their loops. One that has not for *patience*
 * looks in a row is stuck: it gets SIGABRT, after as many again SIGKILL. One
 * that somebody has stopped is left alone.
 */
void	process_table_watch(struct process_table *, unsigned patience);

void	process_table_count(const struct process_table *,
	    struct process_counts *);

/* Workers now, and slots that have one or wait for one, of those that serve. */
unsigned process_table_alive(const struct process_table *);
unsigned process_table_wanted(const struct process_table *);

/* Is there any process left? */
bool	process_table_left(const struct process_table *);

/*
 * In a new process of the master: let go of what is not its own. The *prober* says
 * on the board what is found of servers, others read that.
 */
void	process_table_leave(struct process_table *, bool prober);

/* For children_*.c: the master's part of a worker; its slot and its name. */
bool	process_table_coming(const struct process_table *,
	    const struct child *);
int	process_table_spawn(struct process_table *, uint32_t slot,
	    uint32_t generation);
int	process_table_slot(struct process_table *, uint32_t *slot);
bool	process_table_slot_is_free(struct board *, uint32_t slot);
void	process_table_tell(struct process_table *, struct child *,
	    unsigned what);
void	process_table_release(struct process_table *, struct child *);
void	process_table_end_channel(struct process_table *, struct child *);

#endif
