/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * process_table.h: the workers and the prober of the master: forked, informed,
 * reaped and respawned.
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

/* The numbers of process_table_count(). */
struct process_counts {
	unsigned	serving, draining;	/* workers */
	unsigned	sessions;
};

/* Descriptors of the master alone, which children close. */
enum { OWN_SIGNALS, OWN_REPORT, OWN_UPGRADE, OWN_DIAGNOSTICS,
	    OWN_BARRIER, OWNS };

/* A generation whose workers do not accept yet; number 0: none. */
struct coming {
	uint32_t	 generation;
	struct conf	*conf;		/* its configuration */
	struct log	*log;		/* its log */
	uint64_t	 began;		/* clock_now_ms() */
	uint64_t	 progress;	/* of the last step of any worker */
	bool		 failed;
};

struct process_table {
	struct conf	*conf;
	struct board	*board;
	int		 board_fd;	/* to pass it on */
	struct log	*log;
	struct runtime_files	*instance;
	struct poller	*poller;	/* the master's */
	int		 own[OWNS];	/* -1: not open */
	uint32_t	 generation;	/* the one that serves */
	uint32_t	 latest;	/* the last number assigned */
	struct coming	 coming;
	char		 why[160];	/* why it has failed */
	uint32_t	 log_since;	/* first generation with this log */
	struct child	 prober;
	bool		 prober_again;	/* start another one after this */
	bool		 prober_overtaken; /* its configuration is outdated */
	uint32_t	 slots;		/* of workers */
	struct child	*at;		/* by slot */
};

/*
 * Initialises it without processes. The caller sets all members above *coming*.
 * 0, or -1 with errno set. Pair with process_table_free() once
 * process_table_left() is false.
 */
int	process_table_init(struct process_table *);
void	process_table_free(struct process_table *);

/*
 * Forks a worker of the serving generation in a free slot. Returns 0, or -1
 * with errno set: ENOSPC if all slots are taken, otherwise the slot is tried
 * again when it is due. Does not return in the new process.
 */
int	process_table_add(struct process_table *);

/* Drains the youngest worker. -1: it is the last one. */
int	process_table_remove(struct process_table *);

/*
 * Two generations: see process_generation.c. Forks all workers of a new one,
 * which are held. 0, or -1 with *why* set. Pair with one of
 * process_generation_go() and process_generation_abandon() in either case.
 */
int	process_generation_begin(struct process_table *, uint32_t generation,
	    struct conf *, struct log *);

/*
 * 1: all of them could accept; 0: not yet; -1 with *why* set: one has ended, or
 * none has made progress for too long.
 */
int	process_generation_ready(struct process_table *);

/* The time in ms until process_generation_ready() may fail. */
int	process_generation_patience(const struct process_table *);

/* It serves from now on: its workers accept, and later ones do so at once. */
void	process_generation_go(struct process_table *);

/* It has failed: kills its workers. */
void	process_generation_abandon(struct process_table *);

/* Drains all others. Returns their number. */
unsigned process_generation_retire(struct process_table *);

/* True if any of those may still accept. */
bool	process_generation_accept(const struct process_table *);

/*
 * Handles a message on the channel of a child. False: this is none of them. An
 * invalid message ends the child.
 */
bool	process_channel_event(struct process_table *, int fd);

/* A process has ended, stopped or continued; perhaps one of these. */
void	process_table_reaped(struct process_table *, pid_t, int status);

/* A worker has ended: the kernel may have woken it for a connection. */
void	process_table_look(struct process_table *);

/* Forks what is due, and sends owed messages. */
void	process_table_turn(struct process_table *);

/* The time in ms until process_table_turn() has work; -1: none. */
int	process_table_wait(const struct process_table *);

/*
 * Starts a prober for the present configuration, if that needs one: in
 * process_table_turn(), after the running one has ended. Clears the health of
 * servers that are not checked any more.
 */
void	process_table_set_prober(struct process_table *);

/* Ends it with this signal, and starts no other. */
void	process_table_end_prober(struct process_table *, int sig);

/* Sends *sig* to all workers that were told to accept; *leaving*: they end. */
void	process_table_signal(struct process_table *, int sig, bool leaving);

/*
 * Applies max_generations after a new one has started: of all generations on
 * the board, of any master, the oldest ones beyond the limit end within
 * PROCESS_HURRY. Logs those, and the next one.
 */
void	process_table_limit(struct process_table *);

/*
 * Follows what the board says to all generations: draining workers are expected
 * to end accordingly. For a master that has written it, or that is not the
 * serving one.
 */
void	process_table_heed(struct process_table *);

/*
 * The service continues without these: they drain, for reload_timeout at most.
 */
void	process_table_drain(struct process_table *);

/* Passes the new descriptor of the log to all processes with this target. */
void	process_channel_new_log(struct process_table *);

/*
 * Checks whether the loops of the workers turn. One that has not for *patience*
 * looks in a row is stuck: it gets SIGABRT, and after as many again SIGKILL. A
 * worker stopped by a signal is left alone.
 */
void	process_table_watch(struct process_table *, unsigned patience);

void	process_table_count(const struct process_table *,
	    struct process_counts *);

/* Workers of the serving generation; and slots that have or await one. */
unsigned process_table_alive(const struct process_table *);
unsigned process_table_wanted(const struct process_table *);

/* True if any process is left. */
bool	process_table_left(const struct process_table *);

/*
 * In a new process of the master: closes what it must not keep. The *prober*
 * may write results on the board, others only read them.
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
