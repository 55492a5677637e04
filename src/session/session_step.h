/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_step.h: what a stage of a session is told and what it answers. There
 * is a stage for each state. A stage never calls another one, changes no state,
 * sets no timer, asks the poller for nothing and ends no session: it answers, and
 * the driver (session.c) does all of that.
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
	STEP_AGAIN,			/* go on with the stage of *next* */
	STEP_END			/* end it, as *reset* says */
};

/* Who gets a reset when a session ends: a side, or one of these. */
enum { NOBODY = -1, EVERYBODY = 2 };

/* What driver and stages tell each other during one call of the driver. */
struct session_drive {
	/* From the driver: why the stage is called. */
	int		side;		/* whose descriptor is ready … */
	unsigned	ready;		/* … for what: POLLER_*, 0: it is not */
	bool		entered;	/* the state is new */
	bool		turn;		/* QUEUE: it may be served now */

	/* From the stage, beside its answer. */
	enum session_state next;
	int		reset;		/* a side, NOBODY or EVERYBODY */

	/* From one stage to the next. */
	bool		retry;		/* to PICK: a server failed at once */
	bool		stays;		/* QUEUE did not serve it: no room */
	bool		regains;	/* to QUEUE: if it comes back it has … */
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

/* It ends for the reasons that are noted already. */
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

/* It cannot be served; its client reads an end of file. */
static inline enum session_step
step_reject(struct session *s, struct session_drive *d,
    enum session_end why)
{
	session_note_end(s, why);
	return step_to(d, SESSION_LINGER);
}

#endif
