/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_connect.h: the connection to the server, from the attempt to its end.
 */
#ifndef SESSION_CONNECT_H
#define SESSION_CONNECT_H

#include "session/session_step.h"

/*
 * CONNECT: connects to d->server, on which a place is taken, and sends what
 * can go before it has answered. To RELAY when it has, back to PICK on failure.
 */
session_stage session_connect_stage;

/* The timeouts of one attempt, and of all together. */
session_stage session_connect_came;
session_stage session_total_came;

/*
 * Closes this side's descriptor, with a reset if *abort*; harmless without one.
 */
void	session_close(struct session_env *, struct session *, int side,
	    bool abort);

/* Closes the connection to the server, then frees its place. */
void	session_let_go(struct session_env *, struct session *, bool abort);

#endif
