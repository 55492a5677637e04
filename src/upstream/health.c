/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * health.c: rise, fall and the three intervals. Invariant: the health of a
 * server changes here and when it gets its slot, nowhere else.
 */
#include "upstream/health.h"

uint32_t
health_needs(const struct check_policy *p, enum server_health before)
{
	return before == HEALTH_UP ? p->fall :
	    before == HEALTH_DOWN ? p->rise : 1;
}

/*
 * The checks that reached rise are newer than the failures of sessions, so the
 * ejection ends. The server is on probation: one more failure ejects it again,
 * for longer.
 */
static void
end_ejection(struct board_server *b, uint64_t now)
{
	uint64_t until = atomic_load(&b->ejected_until);

	if (until > now)
		(void)atomic_compare_exchange_strong(&b->ejected_until, &until,
		    now);
}

/* A server that is up from the beginning has no slow start. */
static void
set_health(struct board *board, uint32_t slot, enum server_health from,
    enum server_health to, uint64_t now)
{
	struct board_book *s = &board->book[slot];

	atomic_store(&s->changed, from == HEALTH_UNKNOWN && to == HEALTH_UP ?
	    0 : now);
	if (to == HEALTH_DOWN)
		atomic_fetch_add(&s->downs, 1);
	else
		end_ejection(&board->server[slot], now);
	/* Last: a reader that sees it finds the rest in place. */
	atomic_store(&s->health, to);
	atomic_fetch_add(&board->head->changes, 1);
}

bool
health_note(struct health *h, struct board *board, uint32_t slot,
    const struct check_policy *p, bool passed, uint64_t ms, uint64_t now)
{
	struct board_book *s = &board->book[slot];
	enum server_health before = board_health(s);
	enum server_health seen = passed ? HEALTH_UP : HEALTH_DOWN;

	counter_add(&s->checks, 1);
	if (!passed)
		counter_add(&s->check_failures, 1);
	atomic_store(&s->check_ms, (uint32_t)ms);
	if (seen == before) {
		h->run = 0;
		return false;
	}
	if (++h->run < health_needs(p, before))
		return false;
	h->run = 0;
	set_health(board, slot, before, seen, now);
	return true;
}

static uint64_t
or_interval(const struct check_policy *p, uint64_t ms)
{
	return ms == 0 ? p->interval : ms;
}

uint64_t
health_wait(const struct health *h, const struct board *board, uint32_t slot,
    const struct check_policy *p, uint32_t dice)
{
	enum server_health now = board_health(&board->book[slot]);
	uint64_t ms, range;

	if (h->run > 0)
		ms = or_interval(p, p->fast_interval);
	else
		ms = now == HEALTH_DOWN ? or_interval(p, p->down_interval) :
		    p->interval;
	range = 2 * ms * p->jitter / 100;
	return ms - range / 2 + (range == 0 ? 0 : dice % (range + 1));
}

void
health_sit_down(struct board *board, uint32_t slot,
    const struct check_policy *p)
{
	uint32_t unknown = HEALTH_UNKNOWN;

	/* The running prober may write first. */
	(void)atomic_compare_exchange_strong(&board->book[slot].health,
	    &unknown, p->init_state);
}

void
health_forget(struct board *board, uint32_t slot)
{
	atomic_store(&board->book[slot].health, HEALTH_UNKNOWN);
}
