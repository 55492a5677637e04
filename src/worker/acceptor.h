/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * acceptor.h: takes connections from the shared listeners for one worker, while
 * the worker can serve them. What it does not accept stays in the kernel's
 * queue, for another worker or for later: nobody is rejected.
 */
#ifndef ACCEPTOR_H
#define ACCEPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "config/conf.h"
#include "event/poller.h"
#include "session/session_env.h"
#include "upstream/builtin.h"

struct acceptor {
	struct conf	*conf;
	const struct board *board;
	struct poller	*poller;
	struct session_env *env;
	struct builtins	*builtins;
	uint16_t	*of;		/* by descriptor: listeners, from 1 on */
	int		 descriptors;	/* size of that */
	uint16_t	 ready[CONF_LISTENERS];	/* connections are waiting */
	uint16_t	 n_ready;
	bool		 watching;	/* the listeners are in the poller */
	bool		 watching_builtins;	/* theirs are, too */
	bool		 gated;		/* others have fewer sessions */
	bool		 held;		/* not to begin before acceptor_start() */
	uint32_t	 share;		/* accept up to so many sessions */
	uint64_t	 look_at;	/* when to look, woken or not */
	uint32_t	 patience;	/* then again after so many ms */
	uint64_t	 distrust_until;
	bool		 closing;	/* accept what is queued, then close */
	uint32_t	 closing_left;	/* so many more at most */
	/* An episode of pauses, from the first one until a quiet second. */
	uint64_t	 episode;	/* began then; 0: none */
	uint64_t	 last_pause;	/* its end */
	uint64_t	 pause_until;	/* 0: there is no pause */
	uint32_t	 pause_live;	/* resume below so many sessions */
	uint32_t	 pauses;
};

/*
 * Learn the descriptors of the configuration. 0, or -1 with ENOMEM; pair with
 * acceptor_free() in either case.
 */
int	acceptor_init(struct acceptor *, struct conf *);
void	acceptor_free(struct acceptor *);

/*
 * Start to watch. All members from *board* to *builtins* are set by the caller; until then
 * *held* keeps it from doing anything.
 */
void	acceptor_start(struct acceptor *);

/* Note an event. False: the descriptor is not a listener. */
bool	acceptor_event(struct acceptor *, const struct poller_event *);

/*
 * Accept what was noted, then pause or resume. To be called once a turn, after
 * the sessions have had theirs.
 */
void	acceptor_turn(struct acceptor *);

/*
 * Another worker may have been woken for a connection that it cannot take any
 * more: look for it in the next acceptor_turn().
 */
void	acceptor_look(struct acceptor *);

/* From now on take what is queued, then close the listeners. */
void	acceptor_finish(struct acceptor *);

/* True once acceptor_finish() has closed them all. */
bool	acceptor_closed(const struct acceptor *);

/* Take what is queued at builtin servers, and close their listeners too. */
void	acceptor_close_builtins(struct acceptor *);

/* Milliseconds until acceptor_turn() wants to be called; at most *limit*. */
int	acceptor_wait(const struct acceptor *, int limit);

#endif
