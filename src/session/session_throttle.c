/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_throttle.c: what each way has earned and paid.
 *
 * One number a way: the bytes paid, as the time in which they are earned, in
 * parts of a ms and modulo 2^32, some 65 s. At most what was earned is paid, so
 * the balance is never negative. After 65 s without a byte the balance may seem
 * too low, which costs a pause.
 */
#include "session/session_throttle.h"

/* The clock of the account: 2^16 parts of a ms. */
#define MS(n)		((uint64_t)(n) << 16)
#define SECOND		MS(1000)

#define ENOUGH		MS(50)		/* to continue, and at first */
#define SLACK		MS(50)		/* above it nothing is saved */
#define SPENT		MS(8)		/* less is not worth a read */

static uint64_t
rate_of(const struct session_env *e, const struct session *s, int way)
{
	return e->route[s->listener].limits.rate[way];
}

/* At least one byte, or less would be paid than it costs. */
static uint64_t
no_less(uint64_t least, uint64_t rate)
{
	uint64_t byte = (SECOND + rate - 1) / rate;

	return byte > least ? byte : least;
}

static uint32_t
earned_bytes(const struct session_env *e, const struct session *s, int way)
{
	return (uint32_t)(MS(e->now - s->started) +
	    no_less(ENOUGH, rate_of(e, s, way)));
}

static uint64_t
bytes_left(const struct session_env *e, const struct session *s, int way)
{
	uint64_t most = no_less(ENOUGH, rate_of(e, s, way)) + SLACK;
	uint32_t n = earned_bytes(e, s, way) - s->paid[way];

	return n < most ? n : most;
}

enum shuttle_result
session_move_paced(struct session_env *e, struct session *s, int way,
    session_mover *move)
{
	uint64_t rate = rate_of(e, s, way);
	uint64_t before = s->way[way].in, has = bytes_left(e, s, way), cost;
	struct shuttle_kit kit = e->kit;
	enum shuttle_result result;

	/* Zero would mean no limit; a paused way is not read. */
	if ((kit.read_max = has * rate / SECOND) == 0)
		kit.read_max = 1;
	result = move(&s->way[way], &kit, s->fd[way], s->fd[!way]);
	cost = (s->way[way].in - before) * SECOND / rate;
	has -= cost < has ? cost : has;
	s->paid[way] = earned_bytes(e, s, way) - (uint32_t)has;
	if (has < no_less(SPENT, rate))
		s->paused[way] = true;
	return result;
}

uint64_t
session_throttle_at(const struct session_env *e, const struct session *s)
{
	uint64_t enough, lacks, at = 0;
	int way;

	for (way = UP; way <= DOWN; way++) {
		if (!s->paused[way])
			continue;
		enough = no_less(ENOUGH, rate_of(e, s, way));
		lacks = bytes_left(e, s, way);
		lacks = lacks < enough ? enough - lacks : 0;
		lacks = e->now + (lacks + MS(1) - 1) / MS(1);
		if (at == 0 || lacks < at)
			at = lacks;
	}
	return at;
}

enum session_step
session_throttle_came(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	int way;

	(void)d;
	for (way = UP; way <= DOWN; way++)
		if (s->paused[way] && bytes_left(e, s, way) >=
		    no_less(ENOUGH, rate_of(e, s, way)))
			s->paused[way] = false;
	return STEP_WAIT;
}
