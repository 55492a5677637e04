/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_stall.h: notices a descriptor that is ready again and again although
 * nothing comes of it, as where the kernel has no memory for what it offers. The
 * worker must not turn for it: its bytes are copied, then it is left alone for
 * longer and longer, and at last the session is reset.
 */
#ifndef SESSION_STALL_H
#define SESSION_STALL_H

#include "session/session_step.h"

/* A number that changes with everything that a session does. */
uint64_t session_progress(const struct session *);

/*
 * An event of d->side has not changed it. Too many of them in a row: leave the
 * descriptor alone for some time, or end the session.
 */
session_stage session_in_vain;

/* When to look again at what is left alone; 0: nothing is. */
uint64_t session_muted_until(const struct session_env *,
	    const struct session *);

#endif
