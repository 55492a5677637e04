/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_relay.h: carries a session's bytes both ways until both have ended:
 * half-close, resets, and what must still be sent to the other side.
 */
#ifndef SESSION_RELAY_H
#define SESSION_RELAY_H

#include "session/session_step.h"

/* Interval of checks whether all bytes have arrived before a reset, in ms. */
#define SESSION_FLUSH_POLL	(2 * TIMER_TICK)

/* RELAY: moves what it can; to FLUSH when both ways have ended. */
session_stage session_relay_stage;

/* FLUSH: waits until a due reset can be passed on; then ends. */
session_stage session_flush_stage;

/* Sends end of file both ways, behind held bytes. */
void	session_relay_shut(struct session_env *, struct session *,
	    enum session_end);

void	session_side_failed(struct session_env *, struct session *,
	    int side, int err);
/*
 * After bytes went to the server: later ones must not wait for its
 * acknowledgement.
 */
void	session_send_promptly(struct session *);
/* True for an error of a connection that had been established. */
bool	session_had_stood(int err);
/* The side that a reset must be passed on to, or NO_SIDE. */
int	session_due_reset(const struct session *);
/* True if bytes of this way are read and dropped. */
bool	session_discards(const struct session *, int way);

#endif
