/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_slots.c: assigns slots of the board to parts of the configuration. For
 * the master; opens nothing, logs nothing.
 */
#include "config/conf_slots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "upstream/health.h"

static bool
is_checked_by_pool(const struct conf *c, const struct server *b)
{
	return c->pool[b->pool].checked && b->state != SERVER_MAINT;
}

/* What the board knows about a name when it is first used. */
struct known {
	size_t		 n;
	struct {
		struct resolved_addr	 resolved;
		uint64_t	 generation;
	} slot[];
};

/* NULL: none, or out of memory; then the name is looked up as usual. */
static struct known *
read_addrs(const struct board *board)
{
	uint32_t i, used = atomic_load(&board->ledger->servers);
	struct known *k = calloc(1, sizeof(*k) + used * sizeof(k->slot[0]));
	struct resolved_addr resolved;

	for (i = 0; k != NULL && i < used; i++) {
		(void)resolved_addr_read(&board->book[i].resolved, &resolved);
		if (resolved.lookup == 0 || !resolved_addr_serves(&resolved))
			continue;
		k->slot[k->n].resolved = resolved;
		k->slot[k->n++].generation =
		    board->ledger->server[i].generation;
	}
	return k;
}

/* The last generation that knew the answer, 0: none. */
static uint64_t
latest_generation(const struct known *k, uint64_t lookup)
{
	uint64_t generation = 0;
	size_t i;

	for (i = 0; k != NULL && i < k->n; i++)
		if (k->slot[i].resolved.lookup == lookup &&
		    k->slot[i].generation > generation)
			generation = k->slot[i].generation;
	return generation;
}

static bool
is_written(const struct board *board, const struct server *b, uint32_t n,
    const struct resolved_addr *resolved)
{
	struct resolved_addr other;
	uint32_t i;

	for (i = 0; i < n; i++) {
		(void)resolved_addr_read(&board->book[b[i].slot].resolved,
		    &other);
		if (resolved_addr_same(&other, resolved))
			return true;
	}
	return false;
}

/*
 * A name that is new here may have been known at another port, in another pool,
 * or under another name of the server: that result applies until there is an
 * answer. Its slots are new, so no other process writes there.
 */
static void
inherit_addrs(const struct conf *c, struct board *board,
    const struct dns_name *l, const struct known *k)
{
	const struct server *b = &c->server[l->first];
	uint64_t generation = latest_generation(k, b->lookup);
	struct resolved_addr resolved;
	uint32_t n = 0;
	size_t i;

	if (resolved_addr_version(&board->book[b->slot].resolved) != 0)
		return;
	for (i = 0; generation != 0 && i < k->n && n < l->max; i++) {
		resolved = k->slot[i].resolved;
		if (resolved.lookup != b->lookup ||
		    k->slot[i].generation != generation)
			continue;
		if (!l->srv)
			resolved.port = l->port;
		if (!is_written(board, b, n, &resolved))
			resolved_addr_write(&board->book[b[n++].slot].resolved,
			    &resolved);
	}
	/* A failed lookup is an answer, too: the server is down. */
	resolved = (struct resolved_addr){ .lookup = b->lookup };
	for (; (generation != 0 || l->once) && n < l->n; n++)
		resolved_addr_write(&board->book[b[n].slot].resolved,
		    &resolved);
}

/*
 * Stores the resolved address of a server's name for the next configuration,
 * whose lookup may fail. Workers use the address itself.
 */
static void
note_address(const struct server *b, struct board_book *to)
{
	struct resolved_addr resolved = { .lookup = b->asked, .weight = 1,
	    .origin = b->origin };
	struct endpoint e;

	endpoint_set(&e, &b->addr);
	resolved.family = e.family;
	resolved.port = e.port;
	memcpy(resolved.ip, e.ip, sizeof(resolved.ip));
	resolved_addr_write(&to->resolved, &resolved);
}

static int
assign_server_slot(const struct conf *c, struct server *b, struct board *board,
    uint64_t generation, uint64_t oldest)
{
	char name[ADDR_TEXT];

	if (b->lookup == 0)
		b->where = board_hash(addr_format(&b->addr, name,
		    sizeof(name)));
	if ((b->slot = board_assign_server(board, b->name, b->where, generation,
	    oldest)) == BOARD_NO_SLOT)
		return -1;
	if (b->asked != 0)
		note_address(b, &board->book[b->slot]);
	if (is_checked_by_pool(c, b))
		health_sit_down(board, b->slot, &c->pool[b->pool].check);
	return 0;
}

const char *
conf_assign_slots(struct conf *c, struct board *board, uint64_t generation,
    uint64_t oldest)
{
	char name[BOARD_NAME];
	struct known *k;
	struct listener *l;
	struct pool *p;
	size_t i;

	for (i = 0; i < c->servers; i++)
		if (assign_server_slot(c, &c->server[i], board, generation,
		    oldest) == -1)
			return "servers";
	k = c->dns_names > 0 ? read_addrs(board) : NULL;
	for (i = 0; i < c->dns_names; i++)
		inherit_addrs(c, board, &c->dns_name[i], k);
	free(k);
	for (i = 0; i < c->pools; i++) {
		p = &c->pool[i];
		if ((p->slot = board_assign_pool(board, p->name, generation,
		    oldest)) == BOARD_NO_SLOT)
			return "pools";
	}
	/* One section has one slot, with any number of addresses. */
	for (i = 0; i < c->listeners; i++) {
		l = &c->listener[i];
		if (l->label[0] == '\0')
			l->slot = BOARD_NO_SLOT;
		else if ((l->slot = board_assign_listener(board, l->label,
		    generation, oldest)) == BOARD_NO_SLOT)
			return "listeners";
	}
	/* No listener can have such a name. */
	for (i = 0; i < c->limits_shared; i++) {
		snprintf(name, sizeof(name), "limit:%s", c->limit[i].name);
		if ((c->limit[i].slot = board_assign_listener(board, name,
		    generation, oldest)) == BOARD_NO_SLOT)
			return "listeners";
	}
	board_end_assigning(board);
	return NULL;
}

void
conf_forget_unchecked(const struct conf *c, struct board *board)
{
	size_t i;

	for (i = 0; i < c->servers; i++)
		if (!is_checked_by_pool(c, &c->server[i]))
			health_forget(board, c->server[i].slot);
}
