/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_park.h: a second look before a session is refused by a count. Another
 * worker may not have read the end of a session yet that its client believes to
 * be over. So the session is parked, which costs a timer, and counted anew a few
 * times within some 100 ms.
 *
 * On a busy machine that worker may not have been let run for as long, nor the
 * server, which has to end its side, too. So it goes on, for a second in all,
 * while there is one that has not acted since on all that it could know, or that
 * says itself that a client's end waits for its server. One that sleeps is called:
 * then it can say that there was nothing. Looks are counted and not time: a
 * machine that stood still does not refuse what nobody has looked at again.
 */
#ifndef SESSION_PARK_H
#define SESSION_PARK_H

#include "session/session_step.h"

/*
 * A count refuses it: is it to be parked, for ADMIT or PICK to look again? False:
 * that was often enough, or too many are parked.
 */
bool	session_park(struct session_env *, const struct session *);

/* PARKED: nothing but time counts. */
session_stage session_parked_stage;
uint64_t session_parked_at(const struct session_env *,
	    const struct session *);
session_stage session_parked_came;

#endif
