/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_linger.h: the way out of clients that no server has served, and of
 * all sessions that must end.
 */
#ifndef SESSION_LINGER_H
#define SESSION_LINGER_H

#include "session/session_step.h"

/* Time for which a rejected client may go on sending, in ms. */
#define SESSION_LINGER_TIME	2000

/*
 * LINGER: sends end of file, then reads and drops for a while. If slots are
 * scarce, ends at once.
 */
session_stage session_linger_stage;
session_stage session_linger_came;

/* Ends it in any state, in good order if possible. */
enum session_step session_wind_up(struct session_env *, struct session *,
	    struct session_drive *, enum session_end);

#endif
