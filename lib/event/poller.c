/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* poller.c: selects the engine and passes calls on to it. */
#include "event/poller.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "event/poller_hybrid.h"
#include "event/poller_select.h"

/* pause after a failed wait, in ms */
#define PAUSE		10

static const struct poller_engine *const engines[] = {
	&poller_hybrid,
	&poller_select,
};

const struct poller_engine *
poller_engine(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(engines) / sizeof(*engines); i++)
		if (strcmp(engines[i]->name, name) == 0)
			return engines[i];
	return NULL;
}

const char *
poller_engines(void)
{
	return "hybrid, select";
}

struct poller *
poller_new(const struct poller_engine *engine, size_t limit)
{
	struct poller *p;

	if ((p = engine->create(limit)) != NULL)
		p->engine = engine;
	return p;
}

void
poller_free(struct poller *p)
{
	if (p != NULL)
		p->engine->destroy(p);
}

void
poller_want(struct poller *p, int fd, unsigned interest)
{
	assert(fd >= 0);
	p->engine->want(p, fd, interest);
}

void
poller_share(struct poller *p, int fd, bool on)
{
	p->engine->share(p, fd, on);
}

void
poller_forget(struct poller *p, int fd)
{
	p->engine->forget(p, fd);
}

void
poller_drop(struct poller *p, int fd)
{
	/* The kernel may still have its interest. */
	p->engine->want(p, fd, 0);
	p->engine->forget(p, fd);
}

int
poller_wait(struct poller *p, int ms)
{
	int n = p->engine->wait(p, ms);

	if (n != -1 || errno != ENOMEM)
		return n;
	p->failed = true;
	(void)poll(NULL, 0, ms >= 0 && ms < PAUSE ? ms : PAUSE);
	return 0;
}

/*
 * recv() with MSG_PEEK does not see end of file behind unread bytes; POLLRDHUP
 * does.
 */
bool
poller_hung_up(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	return poll(&p, 1, 0) != 0;
}

int
poller_next(struct poller *p, struct poller_event *ev)
{
	return p->engine->next(p, ev);
}
