/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_linger.h: the way out of clients that no server has served, and of all
 * sessions when they are told to end.
 */
#ifndef SESSION_LINGER_H
#define SESSION_LINGER_H

#include "session/session_step.h"

/* How long a client that is rejected may go on sending, in ms. */
#define SESSION_LINGER_TIME	2000

/*
 * LINGER: send end of file, then read and forget for a while. When slots are
 * getting scarce: end at once.
 */
session_stage session_linger_stage;
session_stage session_linger_came;

/* Whatever state it is in: it is to end, in good order if that can be had. */
enum session_step session_wind_up(struct session_env *, struct session *,
	    struct session_drive *, enum session_end);

#endif
