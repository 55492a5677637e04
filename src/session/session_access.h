/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_access.h: which clients are admitted, and how a refusal looks to
 * them.
 */
#ifndef SESSION_ACCESS_H
#define SESSION_ACCESS_H

#include "session/session_step.h"

/* ADMIT: the client is known; admits or refuses it. */
session_stage session_admit_stage;

/* Refuses it in the way that its listener configures. */
enum session_step session_reject_as_set(struct session_env *, struct session *,
	    struct session_drive *, enum session_end);

/* Removes it from counts, if it is in any, and from the queue. */
void	session_leave(struct session_env *, struct session *);

#endif
