/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_stall.h: detects a descriptor that is ready again and again without
 * any progress, for example if the kernel has no memory for what it offers. The
 * worker must not spin on it: first its bytes are copied, then it is muted for
 * longer and longer, and at last the session is reset.
 */
#ifndef SESSION_STALL_H
#define SESSION_STALL_H

#include "session/session_step.h"

/* A number that changes with everything that a session does. */
uint64_t session_progress(const struct session *);

/*
 * An event of d->side has not changed it. After too many in a row: mutes the
 * descriptor for some time, or ends the session.
 */
session_stage session_in_vain;

/* When to look again at a muted descriptor; 0: none is muted. */
uint64_t session_muted_until(const struct session_env *,
	    const struct session *);

#endif
