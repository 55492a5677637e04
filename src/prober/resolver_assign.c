/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * resolver_assign.c: compares found servers with the board and writes the
 * difference. Keeps no state: a new prober finds all on the board.
 */
#include "prober/resolver_assign.h"

#include <stdlib.h>
#include <string.h>

#include "config/conf.h"

/* A change in progress. */
struct change {
	const struct resolver_assign *assign;
	unsigned	 n;		/* changes reported */
	bool		 wrote;
	struct {
		struct resolved_addr	resolved;	/* as on the board */
		bool		known, taken;
	} slot[CONF_PLACES];
};

static struct board_book *
book_slot_of(const struct resolver_assign *s, uint32_t i)
{
	return &s->board->book[s->slot[i].slot];
}

/* True if the slot has this address, from the same lookup. */
static bool
read_slot_addr(const struct resolver_assign *s, uint32_t i,
    struct resolved_addr *resolved)
{
	(void)resolved_addr_read(&book_slot_of(s, i)->resolved, resolved);
	return resolved->lookup == s->slot[i].lookup;
}

bool
resolver_assign_taken(const struct resolver_assign *s)
{
	struct resolved_addr resolved;
	uint32_t i;

	for (i = 0; i < s->n; i++)
		if (read_slot_addr(s, i, &resolved) &&
		    resolved_addr_serves(&resolved))
			return true;
	return false;
}

static int
by_candidate_priority(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	/* If there are too many, those that serve already stay. */
	if (x->assigned != y->assigned)
		return x->assigned ? -1 : 1;
	return memcmp(x->resolved.ip, y->resolved.ip, sizeof(x->resolved.ip));
}

/*
 * Board weights end at SERVER_WEIGHT_MAX, SRV weights at 65535: scale them and
 * keep their ratios. A weight of 0 beside others gets "a very small chance".
 */
static void
scale_weights(struct candidate *f, size_t n, uint32_t unit)
{
	uint32_t max = 0, most = SERVER_WEIGHT_MAX / (unit == 0 ? 1 : unit);
	uint32_t w;
	bool none = false;
	size_t i;

	for (i = 0; i < n; i++) {
		max = f[i].resolved.weight > max ? f[i].resolved.weight : max;
		none |= f[i].resolved.weight == 0;
	}
	for (i = 0; i < n; i++) {
		w = f[i].resolved.weight;
		if (max > most || (none && max > 0))
			w = (w * most + max / 2) / max;
		f[i].resolved.weight = (uint16_t)(w == 0 ? 1 : w);
	}
}

static void
report_change(struct change *c, uint32_t i,
    const struct resolved_addr *resolved, enum resolver_assign_change what)
{
	const struct resolver_assign *s = c->assign;
	char text[ADDR_TEXT];
	struct addr a;

	resolved_addr_to_addr(resolved, &a);
	c->n++;
	s->tell(s->arg, &s->slot[i], addr_format(&a, text, sizeof(text)), what);
}

static void
write_slot(struct change *c, uint32_t i, const struct resolved_addr *resolved)
{
	resolved_addr_write(&book_slot_of(c->assign, i)->resolved, resolved);
	c->slot[i].resolved = *resolved;
	c->slot[i].known = true;
	c->wrote = true;
}

static bool
slot_serves(const struct change *c, uint32_t i)
{
	return c->slot[i].known && resolved_addr_serves(&c->slot[i].resolved);
}

/* The slot that has or had this server; the number of slots: none. */
static uint32_t
slot_of(const struct change *c, const struct resolved_addr *resolved)
{
	uint32_t i;

	for (i = 0; i < c->assign->n; i++)
		if (c->slot[i].known && resolved_addr_same(&c->slot[i].resolved,
		    resolved))
			break;
	return i;
}

/* Sorts by importance, the order on the board. */
static void
arrange_candidates(const struct change *c, struct candidate *candidate,
    size_t n)
{
	const struct resolver_assign *s = c->assign;
	uint16_t least = s->priority;
	uint32_t slot;
	size_t k;

	scale_weights(candidate, n, s->slot->weight);
	for (k = 0; k < n; k++) {
		slot = slot_of(c, &candidate[k].resolved);
		candidate[k].assigned = slot < s->n && slot_serves(c, slot);
		if (candidate[k].priority < least)
			least = candidate[k].priority;
	}
	if (n > 0)
		qsort(candidate, n, sizeof(*candidate), by_candidate_priority);
	for (k = 0; k < n; k++) {
		candidate[k].resolved.lookup = s->slot->lookup;
		candidate[k].resolved.backup = candidate[k].priority > least;
	}
}

/* True if the lookup that found it has no answer now. */
static bool
is_kept(const struct resolver_assign *s, const struct resolved_addr *resolved)
{
	size_t k;

	for (k = 0; k < s->keeps; k++)
		if (s->keep[k].origin == resolved->origin &&
		    s->keep[k].family == resolved->family)
			return true;
	return s->keep_all;
}

/*
 * Selects the servers that stay. The others of *candidate* move to its front;
 * returns their number. *left* is how many more may serve.
 */
static size_t
keep_slots(struct change *c, struct candidate *candidate, size_t n,
    uint32_t *left)
{
	const struct resolver_assign *s = c->assign;
	const struct resolved_addr *old;
	size_t k, rest = 0;
	uint32_t i, taken = 0;

	for (k = 0; k < n; k++) {
		if (!candidate[k].assigned) {
			candidate[rest++] = candidate[k];
			continue;
		}
		i = slot_of(c, &candidate[k].resolved);
		c->slot[i].taken = true;
		old = &c->slot[i].resolved;
		if (old->weight == candidate[k].resolved.weight &&
		    old->backup == candidate[k].resolved.backup &&
		    old->origin == candidate[k].resolved.origin)
			continue;
		if (old->weight != candidate[k].resolved.weight ||
		    old->backup != candidate[k].resolved.backup)
			report_change(c, i, old, RESOLVER_ASSIGN_CHANGED);
		write_slot(c, i, &candidate[k].resolved);
	}
	for (i = 0; i < s->n; i++) {
		c->slot[i].taken |= slot_serves(c, i) &&
		    is_kept(s, &c->slot[i].resolved);
		taken += c->slot[i].taken;
	}
	*left = taken < s->max ? s->max - taken : 0;
	return rest;
}

/* The suitability of this slot for another server. */
static uint32_t
replacement_cost(const struct change *c, uint32_t i)
{
	uint32_t live = board_server_live(c->assign->board,
	    c->assign->slot[i].slot);

	/* Sessions in it would count on a server that does not have them. */
	if (live > 0)
		return live < UINT32_MAX - 3 ? live + 3 : UINT32_MAX;
	if (i >= c->assign->max)
		return 3;
	return slot_serves(c, i) ? 2 : c->slot[i].resolved.family != 0;
}

/* The slot that it had, or else the least used free one. */
static uint32_t
slot_for(const struct change *c, const struct resolved_addr *resolved)
{
	const struct resolver_assign *s = c->assign;
	uint32_t i, best = slot_of(c, resolved);

	if (best < s->n)
		return best;
	for (i = 0; i < s->n; i++)
		if (!c->slot[i].taken && (best == s->n ||
		    replacement_cost(c, i) < replacement_cost(c, best)))
			best = i;
	return best;
}

/*
 * Removes the server. Its address stays: if it returns, its sessions still
 * count.
 */
static void
remove_server(struct change *c, uint32_t i)
{
	struct resolved_addr resolved = c->slot[i].resolved;

	if (!slot_serves(c, i)) {
		if (c->slot[i].known && !resolved.failed)
			return;
		memset(&resolved, 0, sizeof(resolved));
		resolved.lookup = c->assign->slot[i].lookup;
	} else {
		report_change(c, i, &resolved, RESOLVER_ASSIGN_REMOVED);
		resolved.gone = true;
	}
	write_slot(c, i, &resolved);
}

static void
add_candidate(struct change *c, uint32_t i,
    const struct resolved_addr *resolved)
{
	if (slot_serves(c, i))
		report_change(c, i, &c->slot[i].resolved,
		    RESOLVER_ASSIGN_REMOVED);
	report_change(c, i, resolved, RESOLVER_ASSIGN_ADDED);
	board_renew(c->assign->board, c->assign->slot[i].slot,
	    c->assign->health);
	write_slot(c, i, resolved);
	c->slot[i].taken = true;
}

static void
look_at_slots(struct change *c, const struct resolver_assign *s)
{
	uint32_t i;

	memset(c, 0, sizeof(*c));
	c->assign = s;
	for (i = 0; i < s->n; i++) {
		c->slot[i].known = read_slot_addr(s, i, &c->slot[i].resolved);
		/* Entries of another lookup are ignored. */
		if (!c->slot[i].known)
			memset(&c->slot[i].resolved, 0,
			    sizeof(c->slot[i].resolved));
	}
}

static void
publish_change(const struct change *c)
{
	const struct resolver_assign *s = c->assign;

	if (!c->wrote)
		return;
	atomic_fetch_add(&s->board->pool[s->pool].version, 1);
	atomic_fetch_add(&s->board->head->changes, 1);
}

unsigned
resolver_assign_change(const struct resolver_assign *s,
    struct candidate *candidate, size_t n)
{
	struct change c;
	uint32_t i, left;
	size_t k;

	look_at_slots(&c, s);
	arrange_candidates(&c, candidate, n);
	n = keep_slots(&c, candidate, n < s->max ? n : s->max, &left);
	/* Add new servers before old ones are removed. */
	for (k = 0; k < n && k < left; k++)
		add_candidate(&c, slot_for(&c, &candidate[k].resolved),
		    &candidate[k].resolved);
	for (i = 0; i < s->n; i++)
		if (!c.slot[i].taken)
			remove_server(&c, i);
	publish_change(&c);
	return c.n;
}

void
resolver_assign_fail(const struct resolver_assign *s)
{
	struct resolved_addr resolved = { .lookup = s->slot->lookup, .failed =
	    true };
	struct change c;
	uint32_t i;

	look_at_slots(&c, s);
	for (i = 0; i < s->n; i++)
		if (!c.slot[i].known)
			write_slot(&c, i, &resolved);
	publish_change(&c);
}
