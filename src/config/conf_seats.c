/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_seats.c: what of the configuration has which seat on the board. For the
 * master; opens nothing, logs nothing.
 */
#include "config/conf_seats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "upstream/health.h"

static bool
is_checked(const struct conf *c, const struct backend *b)
{
	return c->pool[b->pool].checked && b->state != BACKEND_MAINT;
}

/* What stands on the board of any name, when it is read for the first time. */
struct known {
	size_t		 n;
	struct {
		struct site	 site;
		uint64_t	 generation;
	} seat[];
};

/* NULL: there is none, or no memory; then it is looked up in time. */
static struct known *
read_sites(const struct board *board)
{
	uint32_t i, used = atomic_load(&board->ledger->backends);
	struct known *k = calloc(1, sizeof(*k) + used * sizeof(k->seat[0]));
	struct site site;

	for (i = 0; k != NULL && i < used; i++) {
		(void)site_read(&board->server[i].site, &site);
		if (site.question == 0 || !site_serves(&site))
			continue;
		k->seat[k->n].site = site;
		k->seat[k->n++].generation =
		    board->ledger->backend[i].generation;
	}
	return k;
}

/* The last generation that knew the answer, 0: none. */
static uint64_t
latest(const struct known *k, uint64_t question)
{
	uint64_t generation = 0;
	size_t i;

	for (i = 0; k != NULL && i < k->n; i++)
		if (k->seat[i].site.question == question &&
		    k->seat[i].generation > generation)
			generation = k->seat[i].generation;
	return generation;
}

static bool
is_written(const struct board *board, const struct backend *b, uint32_t n,
    const struct site *site)
{
	struct site other;
	uint32_t i;

	for (i = 0; i < n; i++) {
		(void)site_read(&board->server[b[i].seat].site, &other);
		if (site_same(&other, site))
			return true;
	}
	return false;
}

/*
 * A name that is new here may have been known before, at another port, to another
 * pool, or under another name of the server: what was found then stands until
 * there is an answer. Its seats are new, so no other process writes here.
 */
static void
inherit_sites(const struct conf *c, struct board *board,
    const struct lookup *l, const struct known *k)
{
	const struct backend *b = &c->backend[l->first];
	uint64_t generation = latest(k, b->question);
	struct site site;
	uint32_t n = 0;
	size_t i;

	if (site_version(&board->server[b->seat].site) != 0)
		return;
	for (i = 0; generation != 0 && i < k->n && n < l->max; i++) {
		site = k->seat[i].site;
		if (site.question != b->question ||
		    k->seat[i].generation != generation)
			continue;
		if (!l->srv)
			site.port = l->port;
		if (!is_written(board, b, n, &site))
			site_write(&board->server[b[n++].seat].site, &site);
	}
	/* That a look-up has failed is an answer, too: it is down. */
	site = (struct site){ .question = b->question };
	for (; (generation != 0 || l->once) && n < l->n; n++)
		site_write(&board->server[b[n].seat].site, &site);
}

/*
 * What the name of a server was found to mean, for the next configuration: that
 * look-up may fail. Workers go by the address itself.
 */
static void
note_address(const struct backend *b, struct board_server *to)
{
	struct site site = { .question = b->asked, .weight = 1,
	    .origin = b->origin };
	struct endpoint e;

	endpoint_set(&e, &b->addr);
	site.family = e.family;
	site.port = e.port;
	memcpy(site.ip, e.ip, sizeof(site.ip));
	site_write(&to->site, &site);
}

static int
seat_backend(const struct conf *c, struct backend *b, struct board *board,
    uint64_t generation, uint64_t oldest)
{
	char name[ADDR_TEXT];

	if (b->question == 0)
		b->where = board_hash(addr_format(&b->addr, name,
		    sizeof(name)));
	if ((b->seat = board_seat_backend(board, b->name, b->where, generation,
	    oldest)) == BOARD_NO_SEAT)
		return -1;
	if (b->asked != 0)
		note_address(b, &board->server[b->seat]);
	if (is_checked(c, b))
		health_sit_down(board, b->seat, &c->pool[b->pool].check);
	return 0;
}

const char *
conf_sit_down(struct conf *c, struct board *board, uint64_t generation,
    uint64_t oldest)
{
	char name[BOARD_NAME];
	struct known *k;
	struct listener *l;
	struct pool *p;
	size_t i;

	for (i = 0; i < c->backends; i++)
		if (seat_backend(c, &c->backend[i], board, generation,
		    oldest) == -1)
			return "backends";
	k = c->lookups > 0 ? read_sites(board) : NULL;
	for (i = 0; i < c->lookups; i++)
		inherit_sites(c, board, &c->lookup[i], k);
	free(k);
	for (i = 0; i < c->pools; i++) {
		p = &c->pool[i];
		if ((p->seat = board_seat_pool(board, p->name, generation,
		    oldest)) == BOARD_NO_SEAT)
			return "pools";
	}
	/* One section has one seat, however many addresses. */
	for (i = 0; i < c->listeners; i++) {
		l = &c->listener[i];
		if (l->label[0] == '\0')
			l->seat = BOARD_NO_SEAT;
		else if ((l->seat = board_seat_listener(board, l->label,
		    generation, oldest)) == BOARD_NO_SEAT)
			return "listeners";
	}
	/* No listener can have such a name. */
	for (i = 0; i < c->limits_shared; i++) {
		snprintf(name, sizeof(name), "limit:%s", c->limit[i].name);
		if ((c->limit[i].seat = board_seat_listener(board, name,
		    generation, oldest)) == BOARD_NO_SEAT)
			return "listeners";
	}
	board_all_seated(board);
	return NULL;
}

void
conf_forget_unchecked(const struct conf *c, struct board *board)
{
	size_t i;

	for (i = 0; i < c->backends; i++)
		if (!is_checked(c, &c->backend[i]))
			health_forget(board, c->backend[i].seat);
}
