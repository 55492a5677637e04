/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_table.c: keeps the free slots and finds the session of a descriptor.
 * Knows nothing of what a session does. Invariant: a descriptor below the limit
 * is owned by one side of one live session, or free.
 */
#include "session/session_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* In the owner table: id and side, plus one; zero is free. */
#define OWNER(id, side)	((id) * 2 + (uint32_t)(side) + 1)

int
table_init(struct session_table *t, uint32_t limit, size_t descriptors)
{
	memset(t, 0, sizeof(*t));
	t->limit = limit;
	t->descriptors = descriptors;
	/* calloc() leaves the pages of large tables untouched. */
	t->session = calloc(limit, sizeof(*t->session));
	t->cold = calloc(limit, sizeof(*t->cold));
	t->owner = calloc(descriptors, sizeof(*t->owner));
	t->free_id = calloc(limit, sizeof(*t->free_id));
	if (t->session == NULL || t->cold == NULL || t->owner == NULL ||
	    t->free_id == NULL) {
		table_free(t);
		return -1;
	}
	return 0;
}

void
table_free(struct session_table *t)
{
	free(t->session);
	free(t->cold);
	free(t->owner);
	free(t->free_id);
	t->session = NULL;
	t->cold = NULL;
	t->owner = t->free_id = NULL;
}

struct session *
table_take(struct session_table *t)
{
	uint32_t id;

	assert(!table_full(t));
	id = t->free_ids > 0 ? t->free_id[--t->free_ids] : t->used++;
	t->live++;
	return &t->session[id];
}

void
table_give(struct session_table *t, struct session *s)
{
	t->free_id[t->free_ids++] = table_id(t, s);
	t->live--;
}

void
table_attach(struct session_table *t, struct session *s, int side, int fd)
{
	assert((size_t)fd < t->descriptors && t->owner[fd] == 0);
	t->owner[fd] = OWNER(table_id(t, s), side);
	s->fd[side] = fd;
}

void
table_detach(struct session_table *t, struct session *s, int side)
{
	t->owner[s->fd[side]] = 0;
	s->fd[side] = -1;
}

struct session *
table_owner(const struct session_table *t, int fd, int *side)
{
	uint32_t owner = t->owner[fd];

	if (owner == 0)
		return NULL;
	*side = (int)((owner - 1) % 2);
	return &t->session[(owner - 1) / 2];
}
