/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_access.h: which clients come in, and how a refusal looks from outside.
 */
#ifndef SESSION_ACCESS_H
#define SESSION_ACCESS_H

#include "session/session_step.h"

/* ADMIT: the client is known. Let it in, or refuse it. */
session_stage session_admit_stage;

/* It may not come in: end it as its listener wants that to be seen. */
enum session_step session_reject_as_set(struct session_env *, struct session *,
	    struct session_drive *, enum session_end);

/* Count it out, if it was in, and give up its place in the queue. */
void	session_leave(struct session_env *, struct session *);

#endif
