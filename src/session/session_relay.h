/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_relay.h: carries a session's bytes both ways until both ways have
 * ended: half-close, resets, and what is still owed to the other side then.
 */
#ifndef SESSION_RELAY_H
#define SESSION_RELAY_H

#include "session/session_step.h"

/* How often to ask whether all bytes have arrived before a reset, in ms. */
#define SESSION_FLUSH_POLL	(2 * TIMER_TICK)

/* RELAY: move what can be moved; on to FLUSH when both ways have ended. */
session_stage session_relay_stage;

/* FLUSH: wait until a reset can be passed on, if one is to be; then end. */
session_stage session_flush_stage;

/* Send end of file both ways, behind what is held. */
void	session_relay_shut(struct session_env *, struct session *,
	    enum session_end);

void	session_side_failed(struct session_env *, struct session *,
	    int side, int err);
/* After bytes went to the server: let no later ones wait for its answer. */
void	session_send_promptly(struct session *);
/* Is this error of a connection that had stood? */
bool	session_had_stood(int err);
/* The side that a reset is to be passed on to, or NOBODY. */
int	session_due_reset(const struct session *);
/* Is what comes this way read and thrown away? */
bool	session_discards(const struct session *, int way);

#endif
