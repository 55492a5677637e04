/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * backend.c: what the workers tell each other about a backend, on the board.
 * Decides nothing; balance.c chooses.
 */
#include "backend.h"

/* Where a slow start begins: at one percent. */
#define COLD	(BACKEND_WARM / 100)

static struct board_backend *
shared(const struct backends *bs, uint32_t i)
{
	return &bs->board->backend[bs->list[i].seat];
}

void
backend_take(const struct backends *bs, uint32_t i)
{
	gauge_add(board_live(bs->board, bs->worker,
	    bs->list[i].seat), 1);
}

void
backend_drop(const struct backends *bs, uint32_t i)
{
	gauge_add(board_live(bs->board, bs->worker,
	    bs->list[i].seat), -1);
}

uint32_t
backend_load(const struct backends *bs, uint32_t i)
{
	return board_backend_live(bs->board, bs->list[i].seat);
}

/* As far as the operator is concerned. */
static bool
in_service(const struct backend *b)
{
	return b->state == BACKEND_READY && b->weight > 0;
}

static enum backend_health
health(const struct backends *bs, uint32_t i)
{
	return backend_pool(bs, i)->checked ? atomic_load_explicit(
	    &shared(bs, i)->health, memory_order_relaxed) : HEALTH_UP;
}

bool
backend_serves(const struct backends *bs, uint32_t i)
{
	return in_service(&bs->list[i]) && health(bs, i) == HEALTH_UP;
}

bool
backend_unknown(const struct backends *bs, uint32_t i)
{
	return in_service(&bs->list[i]) && health(bs, i) == HEALTH_UNKNOWN;
}

bool
backend_full(const struct backends *bs, uint32_t i)
{
	uint32_t max = bs->list[i].max_sessions;

	return max != 0 && backend_load(bs, i) >= max;
}

uint32_t
backend_warmth(const struct backends *bs, uint32_t i, uint64_t now)
{
	uint64_t span = backend_pool(bs, i)->slow_start, up;

	if (span == 0)
		return BACKEND_WARM;
	up = atomic_load_explicit(&shared(bs, i)->changed,
	    memory_order_relaxed);
	if (up == 0 || now >= up + span)
		return BACKEND_WARM;
	/* Whose clock is an event behind has not seen it come up yet. */
	now = now > up ? now - up : 0;
	return COLD + (uint32_t)((BACKEND_WARM - COLD) * now / span);
}

bool
backend_failed(const struct backends *bs, uint32_t i, uint64_t now)
{
	struct board_backend *b = shared(bs, i);

	atomic_fetch_add(&b->failures, 1);
	return atomic_exchange(&b->held_until, now + BACKEND_HOLD_OFF) == 0;
}

bool
backend_answered(const struct backends *bs, uint32_t i)
{
	struct board_backend *b = shared(bs, i);

	atomic_fetch_add_explicit(&b->served, 1, memory_order_relaxed);
	/* Look before writing: the line is shared by all workers. */
	return atomic_load_explicit(&b->held_until,
	    memory_order_relaxed) != 0 &&
	    atomic_exchange(&b->held_until, 0) != 0;
}

bool
backend_held_off(const struct backends *bs, uint32_t i, uint64_t now)
{
	return atomic_load_explicit(&shared(bs, i)->held_until,
	    memory_order_relaxed) > now;
}

bool
backend_in_doubt(const struct backends *bs, uint32_t i)
{
	return backend_held_off(bs, i, 0);
}
