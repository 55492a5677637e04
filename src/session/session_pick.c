/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_pick.c: PICK. Chooses among the servers not tried yet; does not
 * connect.
 */
#include "session/session_pick.h"

#include <errno.h>

#include "session/session_throttle.h"
#include "upstream/wait_queue.h"

/* Lost races for a place before the session waits for one. */
#define RACES		3

uint64_t
session_total_at(const struct session_env *e, const struct session *s)
{
	uint64_t total = session_pool(e, s)->connect_total_timeout;

	if (total == 0 || s->attempts == 0)
		return 0;
	return s->started + session_cold(e, s)->picked + total;
}

/* True if the time for all attempts is over. */
static bool
is_total_time_over(const struct session_env *e, const struct session *s)
{
	uint64_t at = session_total_at(e, s);

	return at != 0 && at <= e->now;
}

int
session_choose(struct session_env *e, struct session *s)
{
	int i, lost;

	errno = is_total_time_over(e, s) ? ETIMEDOUT : EHOSTDOWN;
	if (errno == ETIMEDOUT || s->attempts >= session_pool(e, s)->attempts)
		return -1;
	for (lost = 0; lost < RACES; lost++) {
		i = balance_pick(e->balance, &(struct balance_ask){
		    .pool = session_route(e, s)->pool, .client = &s->client,
		    .tried = s->tried, .n = s->attempts, .now = e->now });
		if (i == -1 || server_take(e->servers, (uint32_t)i))
			return i;
	}
	errno = EAGAIN;
	return -1;
}

/* The same for a session that has not waited: waiting ones come first. */
static int
choose_in_turn(struct session_env *e, struct session *s)
{
	const struct pool *p = session_pool(e, s);

	if (p->max_queue == 0 ||
	    !wait_queue_busy(e->queue, session_route(e, s)->pool) ||
	    session_cold(e, s)->lent || s->attempts >= p->attempts ||
	    s->attempts >= p->n)
		return session_choose(e, s);
	errno = EAGAIN;
	return -1;
}

static enum shuttle_result
fetch_client_bytes(struct shuttle *s, const struct shuttle_kit *k, int from,
    int to)
{
	(void)to;
	return shuttle_fetch(s, k, from);
}

/* With fast open, the bytes go in the SYN. */
static bool
fetches_first(const struct session_env *e, const struct session *s)
{
	return session_pool(e, s)->fast_open &&
	    session_route(e, s)->eager >= ROUTE_EAGER_ENOUGH;
}

enum session_step
session_pick_stage(struct session_env *e, struct session *s,
    struct session_drive *d)
{
	int i;

	if (!d->retry && fetches_first(e, s) &&
	    session_move(e, s, UP, fetch_client_bytes) == SHUTTLE_FROM_FAILED)
		return step_end(s, d, END_CLIENT_RESET, SERVER);
	d->retry = false;
	if ((i = choose_in_turn(e, s)) == -1) {
		d->none = errno;
		return step_to(d, SESSION_QUEUE);
	}
	d->server = (uint32_t)i;
	return step_to(d, SESSION_CONNECT);
}
