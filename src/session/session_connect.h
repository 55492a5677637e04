/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_connect.h: the connection to the server, from the attempt to its end.
 */
#ifndef SESSION_CONNECT_H
#define SESSION_CONNECT_H

#include "session/session_step.h"

/*
 * CONNECT: connect to d->server, on which a place is taken, and say what can be
 * said before it has answered. On to RELAY when it has, back to PICK if it fails.
 */
session_stage session_connect_stage;

/* The server has had its time; all of them together have. */
session_stage session_connect_came;
session_stage session_total_came;

/* Close this side's descriptor, *abort* with a reset; harmless without one. */
void	session_close(struct session_env *, struct session *, int side,
	    bool abort);

/* Close the connection to the server, then give its place to others. */
void	session_let_go(struct session_env *, struct session *, bool abort);

#endif
