/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_seats.c: what of the configuration has which seat on the board. For the
 * master; opens nothing, logs nothing.
 */
#include "conf_seats.h"

#include <string.h>

#include "health.h"

static bool
is_checked(const struct conf *c, const struct backend *b)
{
	return c->pool[b->pool].checked && b->state != BACKEND_MAINT;
}

/*
 * Only the port of a name is another one: what was found at the one before stands
 * until there is an answer. The seat is new, so nobody else writes here.
 */
static void
inherit_sites(const struct conf *c, struct board *board,
    const struct lookup *l)
{
	struct site site, none = { .question = 0 };
	const struct backend *b;
	uint32_t before;

	for (b = c->backend + l->first; b < c->backend + l->first + l->n; b++) {
		if (site_version(&board->backend[b->seat].site) != 0)
			continue;
		none.question = b->question;
		site = none;
		before = board_seat_before(board, b->seat);
		if (before != BOARD_NO_SEAT)
			(void)site_read(&board->backend[before].site, &site);
		if (site.question != b->question)
			site = none;
		site.port = l->port;
		/* That a look-up has failed is an answer, too: it is down. */
		if (site.family != 0 || l->once)
			site_write(&board->backend[b->seat].site, &site);
	}
}

/*
 * What the name of a server was found to mean, for the next configuration: that
 * look-up may fail. Workers go by the address itself.
 */
static void
note_address(const struct backend *b, struct board_backend *to)
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
		note_address(b, &board->backend[b->seat]);
	if (is_checked(c, b))
		health_sit_down(board, b->seat, &c->pool[b->pool].check);
	return 0;
}

const char *
conf_sit_down(struct conf *c, struct board *board, uint64_t generation,
    uint64_t oldest)
{
	struct listener *l;
	struct pool *p;
	size_t i;

	for (i = 0; i < c->backends; i++)
		if (seat_backend(c, &c->backend[i], board, generation,
		    oldest) == -1)
			return "backends";
	for (i = 0; i < c->lookups; i++)
		if (!c->lookup[i].srv)
			inherit_sites(c, board, &c->lookup[i]);
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
