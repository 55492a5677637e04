/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_gate.c: who comes in. Refuses clients, and knows how that is to look
 * from outside; whom, say the access list and the limits of the listener.
 */
#include "session_step.h"

void
session_admit(struct session_table *t, struct session *s)
{
	session_pick(t, s);
}

void
session_leave(struct session_table *t, struct session *s)
{
	(void)t;
	(void)s;
}

void
session_refuse(struct session_table *t, struct session *s,
    enum session_end why)
{
	session_note_end(s, why);
	session_set_state(s, SESSION_PICK);
	if (t->route[s->listener].refuse == REFUSE_CLOSE)
		session_turn_away(t, s, why);
	else
		session_finish(t, s, CLIENT);
}
