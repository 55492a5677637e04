/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * wait_queue.c: a list for each pool, linked by id; its first ticket is on the
 * board. Never touches a session. Invariant: tickets increase along a list, and
 * the board has the ticket of the first and the length.
 *
 * A compromised worker can write any number on the board. So each worker trusts
 * its own memory about its own sessions, ignores worker slots that no process
 * holds, and ignores times, tickets included, that are not near to now.
 */
#include "upstream/wait_queue.h"

#include <errno.h>
#include <stdlib.h>

#include "sys/clock.h"

/*
 * Time without a heartbeat, or beside free room, before a worker is skipped, in
 * ms …
 */
#define PATIENCE	200

/*
 * … and this much more for each session that has waited longer than this
 * worker's first.
 */
#define PATIENCE_MORE	50

/*
 * While sessions wait, all workers are woken at this interval, in ms: a
 * sleeping worker does not see that another process has written what it waits
 * for.
 */
#define CALL_ALL	250

/* A ticket: the time of its draw in ms, and a number in the lower bits. */
#define TICKET_SHIFT	20

/* Difference of the clocks of processes, in ms; more is garbage. */
#define AHEAD		1000

/*
 * Lifetime of the report that all servers seem to fail, in ms; it is repeated.
 */
#define GUESS_LASTS	10000

struct place {
	uint32_t	 before, after;	/* WAIT_QUEUE_NONE: at the end */
	uint64_t	 ticket;
};

struct wait_queue {
	const struct servers *bs;
	struct place	*place;		/* by id */
	struct line {
		uint32_t first, last;
		uint32_t n;		/* as on the board: with lent ones */
		uint64_t head;		/* ticket that left room unused … */
		uint64_t since;		/* … since this time; 0: none */
		uint64_t pause;		/* none may continue before */
		uint64_t guess;		/* ticket that tries for all */
	}		*line;		/* by pool */
	uint32_t	 waiting;	/* in all of them */
	uint32_t	 changes;	/* of health, last seen */
	bool		 woken;
	uint64_t	 look_at;
	uint64_t	 call_at;	/* next wakeup of all workers */
};

struct wait_queue *
wait_queue_new(const struct servers *bs, uint32_t n)
{
	struct wait_queue *q;
	uint32_t i;

	if ((q = calloc(1, sizeof(*q))) == NULL)
		return NULL;
	q->bs = bs;
	/* Untouched pages of a large table use no memory. */
	q->place = calloc(n, sizeof(*q->place));
	q->line = calloc(bs->pools, sizeof(*q->line));
	if (q->place == NULL || q->line == NULL) {
		wait_queue_free(q);
		errno = ENOMEM;
		return NULL;
	}
	for (i = 0; i < bs->pools; i++)
		q->line[i].first = q->line[i].last = WAIT_QUEUE_NONE;
	return q;
}

void
wait_queue_free(struct wait_queue *q)
{
	if (q == NULL)
		return;
	free(q->place);
	free(q->line);
	free(q);
}

static struct board_pool *
shared_pool(const struct wait_queue *q, uint32_t pool)
{
	return &q->bs->board->pool[q->bs->pool[pool].slot];
}

static struct board_wait *
wait_cell(const struct wait_queue *q, uint32_t worker, uint32_t pool)
{
	return board_wait(q->bs->board, worker, q->bs->pool[pool].slot);
}

/*
 * The ticket of the first; a session that tries for all others is the first,
 * too.
 */
static uint64_t
own_ticket(const struct wait_queue *q, uint32_t pool)
{
	const struct line *l = &q->line[pool];

	if (l->guess != 0 || l->first == WAIT_QUEUE_NONE)
		return l->guess;
	return q->place[l->first].ticket;
}

static void
show_first_ticket(struct wait_queue *q, uint32_t pool)
{
	uint64_t ticket = own_ticket(q, pool);

	atomic_store(&wait_cell(q, q->bs->worker, pool)->ticket, ticket);
	board_own_ticket(q->bs->board, q->bs->pool[pool].slot, ticket);
}

/* True if this other worker would continue on its turn. */
static bool
is_awake(const struct wait_queue *q, uint32_t worker, uint64_t now)
{
	const struct board *b = q->bs->board;

	return atomic_load_explicit(&b->ledger->process[worker].stopped,
	    memory_order_relaxed) == 0 && board_beats(b, worker, now, PATIENCE);
}

/* Its first ticket; 0: none, or it would not continue. */
static uint64_t
ticket_of(const struct wait_queue *q, uint32_t worker, uint32_t pool,
    uint64_t now)
{
	uint64_t ticket;

	if (worker == q->bs->worker)
		return own_ticket(q, pool);
	ticket = atomic_load(&wait_cell(q, worker, pool)->ticket);
	return ticket != 0 && is_awake(q, worker, now) ? ticket : 0;
}

/* The worker whose turn it is, or WAIT_QUEUE_NONE. */
static uint32_t
oldest_worker(const struct wait_queue *q, uint32_t pool, uint64_t now)
{
	uint32_t w, best = WAIT_QUEUE_NONE, slots =
	    board_worker_slots(q->bs->board);
	uint64_t ticket, least = UINT64_MAX;

	for (w = 0; w < slots; w++) {
		ticket = ticket_of(q, w, pool, now);
		if (ticket != 0 && ticket < least) {
			best = w;
			least = ticket;
		}
	}
	return best;
}

/*
 * The waiting sessions of all workers; each count is capped at the sessions
 * that a worker can have.
 */
static uint64_t
sum_waiting(const struct wait_queue *q, uint32_t pool)
{
	uint32_t w, n, slots = board_worker_slots(q->bs->board);
	uint64_t sum = q->line[pool].n;

	for (w = 0; w < slots; w++) {
		if (w == q->bs->worker || !board_is_held(q->bs->board, w))
			continue;
		n = atomic_load(&wait_cell(q, w, pool)->n);
		sum += n <= BOARD_MOST_LIVE ? n : 0;
	}
	return sum;
}

/* Adds to the length, on the board and in private memory. */
static void
count_waiters(struct wait_queue *q, uint32_t pool, int32_t n)
{
	q->line[pool].n += (uint32_t)n;
	atomic_fetch_add(&wait_cell(q, q->bs->worker, pool)->n, (uint32_t)n);
}

bool
wait_queue_busy(const struct wait_queue *q, uint32_t pool)
{
	return atomic_load_explicit(&shared_pool(q, pool)->waiting,
	    memory_order_relaxed) != 0;
}

/*
 * Marks the queue empty if it is. A session that enters meanwhile is either
 * seen by the second look, or its worker marks the queue after this.
 */
static void
clear_waiting(const struct wait_queue *q, uint32_t pool)
{
	if (sum_waiting(q, pool) > 0)
		return;
	atomic_store(&shared_pool(q, pool)->waiting, 0);
	if (sum_waiting(q, pool) > 0)
		atomic_store(&shared_pool(q, pool)->waiting, 1);
}

/*
 * A ticket behind the last one drawn, and not before the present time: so no
 * value on the board lets a session pass those that wait.
 */
static uint64_t
draw_ticket(const struct wait_queue *q, uint32_t pool)
{
	_Atomic uint64_t *tail = &shared_pool(q, pool)->queue_tail;
	uint64_t was = atomic_load(tail), now = clock_now_ms(), ticket;

	do {
		ticket = (now << TICKET_SHIFT) + 1;
		if (was >= ticket && was >> TICKET_SHIFT <= now + AHEAD)
			ticket = was + 1;
	} while (!atomic_compare_exchange_weak(tail, &was, ticket));
	return ticket;
}

static void
append_waiter(struct wait_queue *q, uint32_t pool, uint32_t id)
{
	struct line *l = &q->line[pool];
	struct place *p = &q->place[id];

	p->ticket = draw_ticket(q, pool);
	p->before = l->last;
	p->after = WAIT_QUEUE_NONE;
	if (l->last != WAIT_QUEUE_NONE)
		q->place[l->last].after = id;
	else
		l->first = id;
	l->last = id;
	show_first_ticket(q, pool);
	atomic_store(&shared_pool(q, pool)->waiting, 1);
}

static void
unlink_place(struct wait_queue *q, uint32_t pool, uint32_t id)
{
	struct line *l = &q->line[pool];
	struct place *p = &q->place[id];

	if (p->before != WAIT_QUEUE_NONE)
		q->place[p->before].after = p->after;
	else
		l->first = p->after;
	if (p->after != WAIT_QUEUE_NONE)
		q->place[p->after].before = p->before;
	else
		l->last = p->before;
	show_first_ticket(q, pool);
}

bool
wait_queue_enter(struct wait_queue *q, uint32_t pool, uint32_t id)
{
	/* First add, then count, as server_take() does. */
	count_waiters(q, pool, 1);
	if (sum_waiting(q, pool) > q->bs->pool[pool].max_queue) {
		count_waiters(q, pool, -1);
		return false;
	}
	board_own_waiting(q->bs->board, q->bs->pool[pool].slot, 1);
	q->waiting++;
	append_waiter(q, pool, id);
	/* A place may have become free just before. */
	q->woken = true;
	return true;
}

void
wait_queue_leave(struct wait_queue *q, uint32_t pool, uint32_t id, uint64_t now)
{
	bool was_first = q->line[pool].first == id;

	unlink_place(q, pool, id);
	count_waiters(q, pool, -1);
	board_own_waiting(q->bs->board, q->bs->pool[pool].slot, -1);
	q->waiting--;
	clear_waiting(q, pool);
	if (was_first)
		wait_queue_call(q, pool, now);
}

/* Counts it as waiting, so that the end of its time is noticed. */
static void
set_guess(struct wait_queue *q, uint32_t pool, uint64_t ticket)
{
	struct line *l = &q->line[pool];

	q->waiting += (uint32_t)(ticket != 0) - (uint32_t)(l->guess != 0);
	l->guess = ticket;
}

/* It may still try, but no longer holds others up. */
static void
end_guess(struct wait_queue *q, uint32_t pool, uint64_t now)
{
	if (q->line[pool].guess == 0)
		return;
	set_guess(q, pool, 0);
	show_first_ticket(q, pool);
	wait_queue_call(q, pool, now);
}

void
wait_queue_lend(struct wait_queue *q, uint32_t pool, uint32_t id, uint64_t now)
{
	struct line *l = &q->line[pool];
	bool was_first = l->first == id;

	/* No other session tries the same until the pause is over. */
	if (now < l->pause)
		set_guess(q, pool, q->place[id].ticket);
	unlink_place(q, pool, id);
	q->waiting--;
	if (was_first && l->guess == 0)
		wait_queue_call(q, pool, now);
}

/* Moves it behind the last one that arrived before it. */
void
wait_queue_return(struct wait_queue *q, uint32_t pool, uint32_t id)
{
	struct line *l = &q->line[pool];
	struct place *p = &q->place[id];

	p->before = WAIT_QUEUE_NONE;
	p->after = l->first;
	while (p->after != WAIT_QUEUE_NONE &&
	    q->place[p->after].ticket < p->ticket) {
		p->before = p->after;
		p->after = q->place[p->after].after;
	}
	if (p->before != WAIT_QUEUE_NONE)
		q->place[p->before].after = id;
	else
		l->first = id;
	if (p->after != WAIT_QUEUE_NONE)
		q->place[p->after].before = id;
	else
		l->last = id;
	set_guess(q, pool, 0);
	q->waiting++;
	show_first_ticket(q, pool);
	q->woken = true;
}

void
wait_queue_settle(struct wait_queue *q, uint32_t pool, uint64_t now)
{
	count_waiters(q, pool, -1);
	board_own_waiting(q->bs->board, q->bs->pool[pool].slot, -1);
	end_guess(q, pool, now);
	clear_waiting(q, pool);
}

void
wait_queue_pause(struct wait_queue *q, uint32_t pool, uint64_t until,
    uint64_t now)
{
	struct line *l = &q->line[pool];

	q->woken |= until == 0;
	l->pause = until;
	/* The time until which it is valid, and never 0. */
	atomic_store(&shared_pool(q, pool)->guesses, until == 0 ? 0 :
	    (uint32_t)until | 1);
	if (until == 0)
		end_guess(q, pool, now);
}

bool
wait_queue_guesses(const struct wait_queue *q, uint32_t pool, uint64_t now)
{
	uint32_t said = atomic_load_explicit(&shared_pool(q, pool)->guesses,
	    memory_order_relaxed);

	/* The time must be near to now; other values are garbage. */
	return said != 0 && q->bs->pool[pool].unavailable_timeout != 0 &&
	    (uint32_t)(said + GUESS_LASTS - (uint32_t)now) <=
	    GUESS_LASTS + AHEAD;
}

bool
wait_queue_paused(struct wait_queue *q, uint32_t pool, uint64_t now)
{
	if (now < q->line[pool].pause)
		return true;
	end_guess(q, pool, now);
	return false;
}

void
wait_queue_step_back(struct wait_queue *q, uint32_t pool, uint32_t id)
{
	unlink_place(q, pool, id);
	append_waiter(q, pool, id);
}

uint64_t
wait_queue_ticket(const struct wait_queue *q, uint32_t id)
{
	return q->place[id].ticket;
}

void
wait_queue_regain(struct wait_queue *q, uint32_t pool, uint32_t id,
    uint64_t ticket)
{
	struct line *l = &q->line[pool];
	struct place *p = &q->place[id];

	if (l->first != id) {
		unlink_place(q, pool, id);
		p->before = WAIT_QUEUE_NONE;
		p->after = l->first;
		q->place[l->first].before = id;
		l->first = id;
	}
	p->ticket = ticket;
	show_first_ticket(q, pool);
}

uint32_t
wait_queue_next(struct wait_queue *q, uint32_t pool, uint64_t now)
{
	if (q->line[pool].first == WAIT_QUEUE_NONE)
		return WAIT_QUEUE_NONE;
	if (!wait_queue_busy(q, pool))
		atomic_store(&shared_pool(q, pool)->waiting, 1);
	if (oldest_worker(q, pool, now) != q->bs->worker)
		return WAIT_QUEUE_NONE;
	return q->line[pool].first;
}

/*
 * The number of workers whose first session is between the first of all and
 * the first of this one.
 */
static uint32_t
before_us(const struct wait_queue *q, uint32_t pool, uint64_t now)
{
	uint32_t w, n = 0, slots = board_worker_slots(q->bs->board);
	uint64_t ticket, own = own_ticket(q, pool);

	for (w = 0; w < slots; w++) {
		ticket = ticket_of(q, w, pool, now);
		n += ticket != 0 && ticket < own;
	}
	return n == 0 ? 0 : n - 1;
}

uint32_t
wait_queue_next_but(struct wait_queue *q, uint32_t pool, uint64_t now,
    bool room)
{
	struct line *l = &q->line[pool];
	uint32_t worker = room ? oldest_worker(q, pool, now) : WAIT_QUEUE_NONE;
	uint64_t head;

	if (l->first == WAIT_QUEUE_NONE || worker == WAIT_QUEUE_NONE) {
		l->since = 0;
		return WAIT_QUEUE_NONE;
	}
	head = ticket_of(q, worker, pool, now);
	if (l->since == 0 || l->head != head) {
		l->head = head;
		l->since = now;
	}
	if (now - l->since < PATIENCE ||
	    now - l->since < PATIENCE + before_us(q, pool, now) *
	    (uint64_t)PATIENCE_MORE)
		return WAIT_QUEUE_NONE;
	return l->first;
}

void
wait_queue_call(struct wait_queue *q, uint32_t pool, uint64_t now)
{
	uint32_t worker;

	if (!wait_queue_busy(q, pool))
		return;
	worker = oldest_worker(q, pool, now);
	if (worker == q->bs->worker)
		q->woken = true;
	else if (worker != WAIT_QUEUE_NONE)
		board_wake(q->bs->board, worker);
}

void
wait_queue_wake(struct wait_queue *q)
{
	q->woken = true;
}

static void
call_all(const struct wait_queue *q)
{
	uint32_t w, slots = board_worker_slots(q->bs->board);

	for (w = 0; w < slots; w++)
		if (w != q->bs->worker)
			board_wake(q->bs->board, w);
}

bool
wait_queue_due(struct wait_queue *q, uint64_t now)
{
	uint32_t changes, i;

	if (q->waiting == 0)
		return false;
	changes = atomic_load(&q->bs->board->head->changes);
	if (!q->woken && now < q->look_at && changes == q->changes)
		return false;
	for (i = 0; changes != q->changes && i < q->bs->pools; i++)
		q->line[i].pause = 0;
	q->woken = false;
	q->changes = changes;
	q->look_at = now + WAIT_QUEUE_LOOK;
	if (now >= q->call_at) {
		q->call_at = now + CALL_ALL;
		call_all(q);
	}
	return true;
}

int
wait_queue_wait(const struct wait_queue *q, uint64_t now, int limit)
{
	uint64_t ms;

	if (q->waiting == 0)
		return limit;
	if (q->woken || now >= q->look_at)
		return 0;
	ms = q->look_at - now;
	return ms < (uint64_t)limit ? (int)ms : limit;
}
