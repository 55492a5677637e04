/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* session_stall.c: counts events without progress. Never moves a byte. */
#include "session/session_stall.h"

/* Consecutive events of a descriptor without progress, until … */
#define VAIN_COPY	8		/* … streams are copied */
#define VAIN_MUTE	32		/* … it is muted for a while */
#define VAIN_END	58		/* … the session ends, some 10 s on */

/* Time of muting: the first, doubled each time up to the last. */
#define MUTE_FIRST	8		/* ms */
#define MUTE_MOST	512

uint64_t
session_progress(const struct session *s)
{
	const struct shuttle *up = &s->way[UP], *down = &s->way[DOWN];

	return up->in + up->out + down->in + down->out + s->discarded +
	    s->header + s->state + up->eof + down->eof + s->done[UP] +
	    s->done[DOWN] + s->paused[UP] + s->paused[DOWN] + s->in_line;
}

static uint64_t
mute_time(const struct session *s)
{
	unsigned vain = s->way[UP].vain > s->way[DOWN].vain ?
	    s->way[UP].vain : s->way[DOWN].vain;
	unsigned times = vain > VAIN_MUTE ? vain - VAIN_MUTE : 0;

	return times < 6 ? MUTE_FIRST << times : MUTE_MOST;
}

uint64_t
session_muted_until(const struct session_env *e, const struct session *s)
{
	return s->muted == 0 ? 0 : e->now + mute_time(s);
}

enum session_step
session_in_vain(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	struct shuttle *way = &s->way[d->side];

	(void)e;
	if (++way->vain < VAIN_COPY)
		return STEP_WAIT;
	s->way[UP].splicing = s->way[DOWN].splicing = false;
	if (way->vain >= VAIN_END)
		return step_end(s, d, END_STALLED, BOTH_SIDES);
	if (way->vain >= VAIN_MUTE)
		s->muted |= (uint8_t)(1u << d->side);
	return STEP_WAIT;
}
