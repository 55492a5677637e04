/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_park.h: a second look before a count refuses a session. Another worker
 * may not have read yet the end of a session that is over for its client. So the
 * session is parked, which costs a timer, and counted again a few times within
 * some 100 ms.
 *
 * On a busy machine that worker may not have run for as long, nor the server,
 * which must end its side, too. So this continues, for a second in total, while
 * a worker has not handled since all that it could know, or reports that a
 * client's end waits for its server. A sleeping worker is woken, so that it can
 * report. Looks are counted instead of time: a machine that stood still must not
 * refuse a session without another look.
 */
#ifndef SESSION_PARK_H
#define SESSION_PARK_H

#include "session/session_step.h"

/*
 * A count refuses it: true if ADMIT or PICK shall look again later. False:
 * after the last look, or if too many are parked.
 */
bool	session_park(struct session_env *, const struct session *);

/* PARKED: waits for time only. */
session_stage session_parked_stage;
uint64_t session_parked_at(const struct session_env *,
	    const struct session *);
session_stage session_parked_came;

#endif
