/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_table.c: finds the session of a descriptor or timer and keeps the
 * free slots. Knows nothing of what a session does. Invariant: a descriptor
 * below the limit is owned by one side of one live session, or by nobody.
 */
#include "session/session_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"

/* In the owner table: the id and the side, plus one; zero is nobody. */
#define OWNER(id, side)	((id) * 2 + (uint32_t)(side) + 1)

int
table_init(struct session_table *t, uint32_t limit, size_t descriptors)
{
	memset(t, 0, sizeof(*t));
	t->limit = limit;
	t->descriptors = descriptors;
	/* calloc() leaves the pages of large tables untouched. */
	t->session = calloc(limit, sizeof(*t->session));
	t->record = calloc(limit, sizeof(*t->record));
	t->owner = calloc(descriptors, sizeof(*t->owner));
	t->free_id = calloc(limit, sizeof(*t->free_id));
	if (t->session == NULL || t->record == NULL || t->owner == NULL || t->free_id == NULL) {
		table_free(t);
		return -1;
	}
	return 0;
}

void
table_free(struct session_table *t)
{
	free(t->session);
	free(t->record);
	free(t->header_ids);
	free(t->owner);
	free(t->free_id);
	t->session = NULL;
	t->record = NULL;
	t->header_ids = NULL;
	t->owner = t->free_id = NULL;
}

/* What others may have to wait for: some 50 us of work, and not 300. */
#define STREAM_SHARE	(128u << 10)

/* How long a session that has acted counts as one that waits, in ms. */
#define TALKS		100

/*
 * Large chunks are cheap, and make everybody else wait: a stream may have all
 * that a pipe takes only while nobody else has anything to say.
 */
void
table_turn(struct session_table *t, uint64_t now)
{
	t->before = t->now;
	t->now = now;
	t->kit.splice_max = now - t->talked < TALKS ? STREAM_SHARE : 0;
}

bool
table_full(const struct session_table *t)
{
	return t->live >= t->limit;
}

struct session_record *
session_record(const struct session_table *t, const struct session *s)
{
	return &t->record[table_id(t, s)];
}

uint32_t
table_id(const struct session_table *t, const struct session *s)
{
	return (uint32_t)(s - t->session);
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
	timers_clear(t->timers, table_id(t, s));
	t->free_id[t->free_ids++] = table_id(t, s);
	t->live--;
}

void
table_attach(struct session_table *t, struct session *s, int side, int fd)
{
	assert((size_t)fd < t->descriptors && t->owner[fd] == 0);
	t->owner[fd] = OWNER(table_id(t, s), side);
	s->fd[side] = fd;
	s->muted &= (uint8_t)~(1u << side);
}

void
table_detach(struct session_table *t, struct session *s, int side, bool abort)
{
	int fd = s->fd[side];

	if (fd == -1)
		return;
	poller_forget(t->poller, fd);
	t->owner[fd] = 0;
	s->fd[side] = -1;
	if (abort)
		socket_abort(fd);
	else
		close(fd);
}

bool
table_event(struct session_table *t, const struct poller_event *ev)
{
	uint32_t owner = t->owner[ev->fd];

	if (owner == 0)
		return false;
	owner--;
	session_event(t, &t->session[owner / 2], (int)(owner % 2), ev->ready);
	return true;
}

void
table_expire(struct session_table *t)
{
	uint32_t id;

	while ((id = timers_expired(t->timers, t->now)) != TIMER_NONE)
		session_expired(t, &t->session[id]);
}

/* Gone down after they had connected. */
static bool
is_to_cut(const struct session_table *t, const struct session *s)
{
	uint32_t i;

	if (s->state != SESSION_RELAY)
		return false;
	i = s->tried[s->attempts - 1];
	return backend_pool(t->backends, i)->cut &&
	    backend_went_down(t->backends, i, s->downs);
}

void
table_cut(struct session_table *t)
{
	uint32_t id, changes = atomic_load(&t->backends->board->head->changes);

	if (changes == t->changes)
		return;
	t->changes = changes;
	for (id = 0; id < t->used; id++)
		if (is_to_cut(t, &t->session[id]))
			session_kill(t, &t->session[id], END_SERVER_DOWN,
			    true);
}

void
table_shut(struct session_table *t, enum session_end why)
{
	uint32_t id;

	for (id = 0; id < t->used; id++)
		if (t->session[id].state != SESSION_FREE)
			session_shut(t, &t->session[id], why);
}

void
table_kill(struct session_table *t, enum session_end why, bool abort)
{
	uint32_t id;

	for (id = 0; id < t->used; id++)
		if (t->session[id].state != SESSION_FREE)
			session_kill(t, &t->session[id], why, abort);
}

uint64_t
table_oldest(const struct session_table *t)
{
	uint64_t oldest = t->now;
	uint32_t id;

	for (id = 0; id < t->used; id++)
		if (t->session[id].state != SESSION_FREE &&
		    t->session[id].started < oldest)
			oldest = t->session[id].started;
	return t->now - oldest;
}
