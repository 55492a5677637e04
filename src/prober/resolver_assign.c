/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * resolver_assign.c: compares what was found with what stands on the board, and writes
 * the difference. Keeps nothing: the next prober finds all there.
 */
#include "prober/resolver_assign.h"

#include <stdlib.h>
#include <string.h>

#include "config/conf.h"

/* A change under way. */
struct change {
	const struct seating *seating;
	unsigned	 n;		/* told of */
	bool		 wrote;
	struct {
		struct site	site;	/* as it stands on the board */
		bool		known, taken;
	} seat[CONF_PLACES];
};

static struct board_server *
server(const struct seating *s, uint32_t i)
{
	return &s->board->server[s->seat[i].seat];
}

/* Is this what the board says of the seat, and of the same question? */
static bool
look(const struct seating *s, uint32_t i, struct site *site)
{
	(void)site_read(&server(s, i)->site, site);
	return site->question == s->seat[i].question;
}

bool
seating_taken(const struct seating *s)
{
	struct site site;
	uint32_t i;

	for (i = 0; i < s->n; i++)
		if (look(s, i, &site) && site_serves(&site))
			return true;
	return false;
}

static int
by_priority(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	/* Where there are too many, those stay that are there. */
	if (x->seated != y->seated)
		return x->seated ? -1 : 1;
	return memcmp(x->site.ip, y->site.ip, sizeof(x->site.ip));
}

/*
 * The board's weights end at BACKEND_WEIGHT_MAX, those of SRV at 65535: they keep
 * their ratios. One of 0 beside others is to have "a very small chance".
 */
static void
scale(struct found *f, size_t n, uint32_t unit)
{
	uint32_t max = 0, most = BACKEND_WEIGHT_MAX / (unit == 0 ? 1 : unit);
	uint32_t w;
	bool none = false;
	size_t i;

	for (i = 0; i < n; i++) {
		max = f[i].site.weight > max ? f[i].site.weight : max;
		none |= f[i].site.weight == 0;
	}
	for (i = 0; i < n; i++) {
		w = f[i].site.weight;
		if (max > most || (none && max > 0))
			w = (w * most + max / 2) / max;
		f[i].site.weight = (uint16_t)(w == 0 ? 1 : w);
	}
}

static void
tell(struct change *c, uint32_t i, const struct site *site,
    enum seating_change what)
{
	const struct seating *s = c->seating;
	char text[ADDR_TEXT];
	struct addr a;

	site_addr(site, &a);
	c->n++;
	s->tell(s->arg, &s->seat[i], addr_format(&a, text, sizeof(text)), what);
}

static void
write_seat(struct change *c, uint32_t i, const struct site *site)
{
	site_write(&server(c->seating, i)->site, site);
	c->seat[i].site = *site;
	c->seat[i].known = true;
	c->wrote = true;
}

static bool
serves(const struct change *c, uint32_t i)
{
	return c->seat[i].known && site_serves(&c->seat[i].site);
}

/* The seat that has or had this server; their number: there is none. */
static uint32_t
seat_of(const struct change *c, const struct site *site)
{
	uint32_t i;

	for (i = 0; i < c->seating->n; i++)
		if (c->seat[i].known && site_same(&c->seat[i].site, site))
			break;
	return i;
}

/* In the order of their importance, as they are to stand on the board. */
static void
arrange(const struct change *c, struct found *found, size_t n)
{
	const struct seating *s = c->seating;
	uint16_t least = s->priority;
	uint32_t seat;
	size_t k;

	scale(found, n, s->seat->weight);
	for (k = 0; k < n; k++) {
		seat = seat_of(c, &found[k].site);
		found[k].seated = seat < s->n && serves(c, seat);
		if (found[k].priority < least)
			least = found[k].priority;
	}
	if (n > 0)
		qsort(found, n, sizeof(*found), by_priority);
	for (k = 0; k < n; k++) {
		found[k].site.question = s->seat->question;
		found[k].site.backup = found[k].priority > least;
	}
}

/* Is there no answer of the question that it was found by? */
static bool
is_kept(const struct seating *s, const struct site *site)
{
	size_t k;

	for (k = 0; k < s->keeps; k++)
		if (s->keep[k].origin == site->origin &&
		    s->keep[k].family == site->family)
			return true;
	return s->keep_all;
}

/*
 * Which of those that serve stay? The others of *found* are moved to its front;
 * returns how many these are. *left* is how many more may serve.
 */
static size_t
keep_seats(struct change *c, struct found *found, size_t n, uint32_t *left)
{
	const struct seating *s = c->seating;
	const struct site *old;
	size_t k, rest = 0;
	uint32_t i, taken = 0;

	for (k = 0; k < n; k++) {
		if (!found[k].seated) {
			found[rest++] = found[k];
			continue;
		}
		i = seat_of(c, &found[k].site);
		c->seat[i].taken = true;
		old = &c->seat[i].site;
		if (old->weight == found[k].site.weight &&
		    old->backup == found[k].site.backup &&
		    old->origin == found[k].site.origin)
			continue;
		if (old->weight != found[k].site.weight ||
		    old->backup != found[k].site.backup)
			tell(c, i, old, SEATING_CHANGED);
		write_seat(c, i, &found[k].site);
	}
	for (i = 0; i < s->n; i++) {
		c->seat[i].taken |= serves(c, i) &&
		    is_kept(s, &c->seat[i].site);
		taken += c->seat[i].taken;
	}
	*left = taken < s->max ? s->max - taken : 0;
	return rest;
}

/* How little one would regret that this seat has another server. */
static uint32_t
regret(const struct change *c, uint32_t i)
{
	uint32_t live = board_backend_live(c->seating->board,
	    c->seating->seat[i].seat);

	/* Sessions would count against one that they are not on. */
	if (live > 0)
		return live < UINT32_MAX - 3 ? live + 3 : UINT32_MAX;
	if (i >= c->seating->max)
		return 3;
	return serves(c, i) ? 2 : c->seat[i].site.family != 0;
}

/* The one that it had, or else the least used of those that none has. */
static uint32_t
seat_for(const struct change *c, const struct site *site)
{
	const struct seating *s = c->seating;
	uint32_t i, best = seat_of(c, site);

	if (best < s->n)
		return best;
	for (i = 0; i < s->n; i++)
		if (!c->seat[i].taken && (best == s->n ||
		    regret(c, i) < regret(c, best)))
			best = i;
	return best;
}

/* Its address stays: should it come back, its sessions are still counted. */
static void
leave(struct change *c, uint32_t i)
{
	struct site site = c->seat[i].site;

	if (!serves(c, i)) {
		if (c->seat[i].known && !site.failed)
			return;
		memset(&site, 0, sizeof(site));
		site.question = c->seating->seat[i].question;
	} else {
		tell(c, i, &site, SEATING_REMOVED);
		site.gone = true;
	}
	write_seat(c, i, &site);
}

static void
come(struct change *c, uint32_t i, const struct site *site)
{
	if (serves(c, i))
		tell(c, i, &c->seat[i].site, SEATING_REMOVED);
	tell(c, i, site, SEATING_ADDED);
	board_renew(c->seating->board, c->seating->seat[i].seat,
	    c->seating->health);
	write_seat(c, i, site);
	c->seat[i].taken = true;
}

static void
look_at_seats(struct change *c, const struct seating *s)
{
	uint32_t i;

	memset(c, 0, sizeof(*c));
	c->seating = s;
	for (i = 0; i < s->n; i++) {
		c->seat[i].known = look(s, i, &c->seat[i].site);
		/* What is there of another question counts for nothing. */
		if (!c->seat[i].known)
			memset(&c->seat[i].site, 0, sizeof(c->seat[i].site));
	}
}

static void
publish(const struct change *c)
{
	const struct seating *s = c->seating;

	if (!c->wrote)
		return;
	atomic_fetch_add(&s->board->pool[s->pool].version, 1);
	atomic_fetch_add(&s->board->head->changes, 1);
}

unsigned
seating_change(const struct seating *s, struct found *found, size_t n)
{
	struct change c;
	uint32_t i, left;
	size_t k;

	look_at_seats(&c, s);
	arrange(&c, found, n);
	n = keep_seats(&c, found, n < s->max ? n : s->max, &left);
	/* A new server is there before an old one is gone. */
	for (k = 0; k < n && k < left; k++)
		come(&c, seat_for(&c, &found[k].site), &found[k].site);
	for (i = 0; i < s->n; i++)
		if (!c.seat[i].taken)
			leave(&c, i);
	publish(&c);
	return c.n;
}

void
seating_fail(const struct seating *s)
{
	struct site site = { .question = s->seat->question, .failed = true };
	struct change c;
	uint32_t i;

	look_at_seats(&c, s);
	for (i = 0; i < s->n; i++)
		if (!c.seat[i].known)
			write_seat(&c, i, &site);
	publish(&c);
}
