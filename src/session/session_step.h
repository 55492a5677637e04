/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_step.h: the interface between driver and stages. There is a stage for
 * each state. A stage never calls another one, changes no state, sets no timer
 * or interest, and ends no session: it returns an answer, and the driver
 * (session.c) does all of that.
 */
#ifndef SESSION_STEP_H
#define SESSION_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "session/session.h"
#include "session/session_end.h"
#include "session/session_env.h"

enum session_step {
	STEP_WAIT,			/* stay in this state */
	STEP_AGAIN,			/* continue with the stage of *next* */
	STEP_END			/* end it, as *reset* says */
};

/* What gets a reset when a session ends: a side, or one of these. */
enum { NO_SIDE = -1, BOTH_SIDES = 2 };

/* Data between driver and stages during one call of the driver. */
struct session_drive {
	/* From the driver: why the stage is called. */
	int		side;		/* its descriptor is ready … */
	unsigned	ready;		/* … for this: POLLER_*, or 0 */
	bool		entered;	/* the state is new */
	bool		turn;		/* QUEUE: it may be served now */

	/* From the stage, beside its answer. */
	enum session_state next;
	int		reset;		/* a side, NO_SIDE or BOTH_SIDES */

	/* From one stage to the next. */
	bool		retry;		/* to PICK: a server failed at once */
	bool		stays;		/* QUEUE found no room for it */
	bool		regains;	/* to QUEUE: if it returns, it has … */
	uint64_t	ticket;		/* … this one again */
	uint32_t	server;	/* to CONNECT: a place on it is taken */
	int		none;		/* to QUEUE: errno of session_choose() */
};

typedef enum session_step session_stage(struct session_env *,
	    struct session *, struct session_drive *);

static inline enum session_step
step_to(struct session_drive *d, enum session_state next)
{
	d->next = next;
	return STEP_AGAIN;
}

/* Ends it for the reasons recorded so far. */
static inline enum session_step
step_over(struct session_drive *d, int reset)
{
	d->reset = reset;
	return STEP_END;
}

static inline enum session_step
step_end(struct session *s, struct session_drive *d, enum session_end why,
    int reset)
{
	session_note_end(s, why);
	return step_over(d, reset);
}

/* Rejects it; its client reads an end of file. */
static inline enum session_step
step_reject(struct session *s, struct session_drive *d,
    enum session_end why)
{
	session_note_end(s, why);
	return step_to(d, SESSION_LINGER);
}

#endif
