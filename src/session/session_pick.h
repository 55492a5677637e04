/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* session_pick.h: which server a session tries, and until when. */
#ifndef SESSION_PICK_H
#define SESSION_PICK_H

#include "session/session_step.h"

/* PICK: chooses a server for CONNECT, or passes the lack of one to QUEUE. */
session_stage session_pick_stage;

/*
 * Chooses a server and takes a place on it. -1 with EAGAIN: wait for one; with
 * EHOSTDOWN: there is none, or enough were tried; with ETIMEDOUT: the time for
 * all attempts is over.
 */
int	session_choose(struct session_env *, struct session *);

/* The end of the time for all attempts; 0: unlimited, or no attempt yet. */
uint64_t session_total_at(const struct session_env *,
	    const struct session *);

#endif
