/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * builtin.c: hello, echo and discard: each is a shuttle that leads back to its
 * source, or nowhere. A connection ends when its peer has closed.
 */
#include "upstream/builtin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"

/* Consecutive events without progress before a connection is closed. */
#define VAIN_END	200

struct connection {
	struct shuttle	way;
	uint8_t		kind;		/* enum builtin_kind */
};

struct builtins {
	struct poller	*poller;
	const struct shuttle_kit *kit;
	uint32_t	 live;
	size_t		 n;
	struct connection at[];		/* by descriptor */
};

static const char *const names[] = {
	"none",
#define X(name, text) text,
	BUILTIN_KINDS(X)
#undef X
};

enum builtin_kind
builtin_kind(const char *name)
{
	size_t i;

	for (i = 1; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], name) == 0)
			return (enum builtin_kind)i;
	return BUILTIN_NONE;
}

const char *
builtin_name(enum builtin_kind kind)
{
	return names[kind];
}

struct builtins *
builtin_new(struct poller *p, const struct shuttle_kit *kit,
    size_t descriptors)
{
	struct builtins *b;

	b = calloc(1, sizeof(*b) + descriptors * sizeof(b->at[0]));
	if (b == NULL)
		return NULL;
	b->poller = p;
	b->kit = kit;
	b->n = descriptors;
	return b;
}

void
builtin_free(struct builtins *b)
{
	size_t fd;

	if (b == NULL)
		return;
	for (fd = 0; fd < b->n && b->live > 0; fd++)
		if (b->at[fd].kind != BUILTIN_NONE) {
			close((int)fd);
			b->live--;
		}
	free(b);
}

static void
end_builtin(struct builtins *b, int fd)
{
	struct connection *c = &b->at[fd];

	poller_forget(b->poller, fd);
	shuttle_drop(&c->way, b->kit);
	c->kind = BUILTIN_NONE;
	b->live--;
	close(fd);
}

static void
go_on(struct builtins *b, int fd, enum shuttle_result result)
{
	struct connection *c = &b->at[fd];

	if (result != SHUTTLE_GOING) {
		end_builtin(b, fd);
		return;
	}
	/*
	 * After the answer, read to the end: unread bytes would cause a reset.
	 */
	if (c->kind == BUILTIN_HELLO && !shuttle_wants_write(&c->way)) {
		(void)socket_shut_write(fd);
		c->kind = BUILTIN_DISCARD;
	}
	poller_want(b->poller, fd,
	    (shuttle_wants_read(&c->way) ? POLLER_READ : 0) |
	    (shuttle_wants_write(&c->way) ? POLLER_WRITE : 0));
}

void
builtin_open(struct builtins *b, int fd, enum builtin_kind kind,
    const char *name)
{
	struct connection *c = &b->at[fd];
	enum shuttle_result result = SHUTTLE_GOING;
	char text[200];

	shuttle_init(&c->way);
	c->kind = (uint8_t)kind;
	b->live++;
	if (kind == BUILTIN_HELLO) {
		snprintf(text, sizeof(text), "Hello from %d, server %s\n",
		    (int)getpid(), name);
		result = shuttle_give(&c->way, b->kit, fd, text, strlen(text));
	}
	go_on(b, fd, result);
}

bool
builtin_event(struct builtins *b, const struct poller_event *ev)
{
	struct connection *c = &b->at[ev->fd];
	uint64_t before = c->way.in + c->way.out;
	enum shuttle_result result = SHUTTLE_GOING;

	switch (c->kind) {
	case BUILTIN_NONE:
		return false;
	case BUILTIN_ECHO:
	case BUILTIN_HELLO:
		if (ev->ready & POLLER_WRITE)
			result = shuttle_write(&c->way, b->kit, ev->fd, ev->fd);
		if (ev->ready & POLLER_READ && result == SHUTTLE_GOING &&
		    c->kind == BUILTIN_ECHO)
			result = shuttle_read(&c->way, b->kit, ev->fd, ev->fd);
		break;
	default:
		result = shuttle_discard(&c->way, b->kit, ev->fd);
		break;
	}
	if (c->way.in + c->way.out != before)
		c->way.vain = 0;
	else if (++c->way.vain == VAIN_END)
		result = SHUTTLE_FROM_FAILED;
	go_on(b, ev->fd, result);
	return true;
}

uint32_t
builtin_live(const struct builtins *b)
{
	return b->live;
}
