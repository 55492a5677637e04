/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_seats.c: what of the configuration has which seat on the board. For the
 * master; opens nothing, logs nothing.
 */
#include "conf_seats.h"

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
	const struct backend *b;
	struct site site;
	uint32_t before;

	for (b = c->backend + l->first; b < c->backend + l->first + l->n; b++) {
		if (site_version(&board->backend[b->seat].site) != 0 ||
		    (before = board_seat_before(board, b->seat)) ==
		    BOARD_NO_SEAT)
			continue;
		(void)site_read(&board->backend[before].site, &site);
		if (site.question != b->question)
			continue;
		site.port = l->port;
		site_write(&board->backend[b->seat].site, &site);
	}
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
	if (is_checked(c, b))
		health_sit_down(board, b->seat, &c->pool[b->pool].check);
	return 0;
}

const char *
conf_sit_down(struct conf *c, struct board *board, uint64_t generation,
    uint64_t oldest)
{
	struct listener *l;
	struct backend *b;
	struct pool *p;
	size_t i;

	for (b = c->backend; b < c->backend + c->backends; b++)
		if (seat_backend(c, b, board, generation, oldest) == -1)
			return "backends";
	for (i = 0; i < c->lookups; i++)
		if (!c->lookup[i].srv)
			inherit_sites(c, board, &c->lookup[i]);
	for (p = c->pool; p < c->pool + c->pools; p++)
		if ((p->seat = board_seat_pool(board, p->name, generation,
		    oldest)) == BOARD_NO_SEAT)
			return "pools";
	/* One section has one seat, however many addresses. */
	for (l = c->listener; l < c->listener + c->listeners; l++)
		if (l->label[0] == '\0')
			l->seat = BOARD_NO_SEAT;
		else if ((l->seat = board_seat_listener(board, l->label,
		    generation, oldest)) == BOARD_NO_SEAT)
			return "listeners";
	board_all_seated(board);
	return NULL;
}

void
conf_forget_unchecked(const struct conf *c, struct board *board)
{
	const struct backend *b;

	for (b = c->backend; b < c->backend + c->backends; b++)
		if (!is_checked(c, b))
			health_forget(board, b->seat);
}
