/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_linger.c: LINGER. Invariant: a session in it is counted in no limit.
 */
#include "session/session_linger.h"

#include "net/socket.h"
#include "session/session_access.h"
#include "session/session_connect.h"
#include "session/session_proxy.h"
#include "session/session_queue.h"
#include "session/session_relay.h"

/*
 * The client reads end of file at once; closing now would turn that into a
 * reset if it has sent anything, or is about to.
 */
static enum session_step
begin_linger(struct session_env *e, struct session *s, struct session_drive *d)
{
	session_drop_note(e, s);
	/* While it lingers, another session may have its place. */
	session_leave(e, s);
	s->last = e->now;
	if (e->table.live > e->table.limit / 2)
		return step_over(d, NO_SIDE);
	(void)socket_shut_write(s->fd[CLIENT]);
	return STEP_WAIT;
}

enum session_step
session_linger_stage(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	if (d->entered)
		return begin_linger(e, s, d);
	if (shuttle_discard(&s->way[UP], &e->kit, s->fd[CLIENT]) ==
	    SHUTTLE_GOING)
		return STEP_WAIT;
	return step_over(d, NO_SIDE);
}

enum session_step
session_linger_came(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	(void)e;
	(void)s;
	return step_over(d, NO_SIDE);
}

enum session_step
session_wind_up(struct session_env *e, struct session *s,
    struct session_drive *d, enum session_end why)
{
	switch (s->state) {
	case SESSION_RELAY:
		session_relay_shut(e, s, why);
		return STEP_WAIT;
	case SESSION_FLUSH:
	case SESSION_LINGER:
		return step_end(s, d, why, NO_SIDE);
	case SESSION_QUEUE:
		session_leave_queue(e, s);
		return step_reject(s, d, why);
	default:
		/* No server has it yet, so nothing is on its way. */
		session_let_go(e, s, false);
		return step_reject(s, d, why);
	}
}
