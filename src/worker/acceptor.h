/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * acceptor.h: accepts connections from the shared listeners for one worker, as
 * long as it can serve them. Others stay in the kernel's queue, for another
 * worker or for later: none is rejected.
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
	uint16_t	*of;		/* by descriptor: listener + 1, or 0 */
	int		 descriptors;	/* size of *of* */
	uint16_t	 ready[CONF_LISTENERS];	/* connections are waiting */
	uint16_t	 n_ready;
	bool		 watching;	/* listeners are in the poller */
	bool		 watching_builtins;	/* those of builtins are, too */
	bool		 gated;		/* other workers have fewer sessions */
	bool		 held;		/* waiting for acceptor_start() */
	uint32_t	 share;		/* accept up to this many sessions */
	uint64_t	 look_at;	/* time of the next look */
	uint32_t	 patience;	/* ms until the one after */
	uint64_t	 distrust_until;
	bool		 closing;	/* accept what is queued, then close */
	uint32_t	 closing_left;	/* at most this many more */
	/* An episode of pauses, from the first one to the next quiet second. */
	uint64_t	 episode;	/* its begin; 0: none */
	uint64_t	 last_pause;	/* end of the last pause */
	uint64_t	 pause_until;	/* 0: not paused */
	uint32_t	 pause_live;	/* resume below this many sessions */
	uint32_t	 pauses;
};

/*
 * Registers the listeners of the configuration. 0, or -1 with ENOMEM; pair with
 * acceptor_free() in either case.
 */
int	acceptor_init(struct acceptor *, struct conf *);
void	acceptor_free(struct acceptor *);

/*
 * Starts watching. The caller has set all members from *board* to *builtins*;
 * until this call *held* prevents any action.
 */
void	acceptor_start(struct acceptor *);

/* Records an event. False: the descriptor is not a listener. */
bool	acceptor_event(struct acceptor *, const struct poller_event *);

/*
 * Accepts the recorded connections, then pauses or resumes. Call it once a
 * turn, after the sessions.
 */
void	acceptor_turn(struct acceptor *);

/*
 * Another worker may have been woken for a connection that it cannot accept any
 * more: looks for it in the next acceptor_turn().
 */
void	acceptor_look(struct acceptor *);

/* From now on accepts only what is queued, then closes the listeners. */
void	acceptor_finish(struct acceptor *);

/* True when acceptor_finish() has closed all of them. */
bool	acceptor_closed(const struct acceptor *);

/* Accepts what is queued at builtin servers, then closes their listeners. */
void	acceptor_close_builtins(struct acceptor *);

/* The time in ms until acceptor_turn() must be called, at most *limit*. */
int	acceptor_wait(const struct acceptor *, int limit);

#endif
