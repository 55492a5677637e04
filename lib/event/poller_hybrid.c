/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * poller_hybrid.c: a descriptor is young at first and watched by select(2),
 * where a change of interest costs no system call. If it is still there after
 * SETTLE_AFTER calls it settles: it moves to epoll(7), where an idle descriptor
 * costs nothing. So epoll never hears of a short connection, and of a long one
 * once. This is ski rental: settle when the scans paid equal the price of
 * settling.
 *
 * select() also watches the epoll descriptor. Without young descriptors the
 * process sleeps in epoll_wait() itself, where shared listeners wait
 * exclusively: one connection wakes one process. With young ones the listeners
 * are in select(), where leaving them out and taking them back costs nothing.
 *
 * After a long sleep all descriptors settle before the next one, so that idle
 * processes wait exclusively. A sleep is long if the kernel's clock has ticked
 * in it, so a short sleep counts as long with a probability equal to its length
 * in ticks.
 *
 * It calls the engine of select() itself: poller.c sees failures there as its
 * own.
 */
#include "event/poller_hybrid.h"

#include <sys/epoll.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/poller_select.h"
#include "sys/clock.h"

/* doc/PERFORMANCE.md has the measurements. */
#define SETTLE_AFTER	32

/* Events taken from epoll in one call. */
#define BATCH		128

#define NO_FD		UINT32_MAX

enum place {
	NOWHERE,
	YOUNG,				/* in select */
	SETTLED,			/* in epoll */
	PARKED,				/* settled, and no event is wanted */
	SHARED,				/* a listener, in select */
	QUEUED				/* a listener, in epoll exclusively */
};

/* Shared listeners form a list of their own by the same links, unordered. */
struct watched {
	uint32_t older, younger;	/* descriptors, in order of birth */
	uint32_t born;			/* number of the next call at birth */
	uint32_t version;		/* of this use of the number */
	uint8_t	 place;
	uint8_t	 interest;
};

struct hybrid {
	struct poller	 base;
	struct poller	*young;		/* the select engine */
	int		 epoll;
	uint32_t	 calls;		/* calls of select() up to now */
	uint32_t	 eldest;	/* eldest young one, or NO_FD */
	uint32_t	 newest;
	uint32_t	 shared;	/* first listener, or NO_FD */
	bool		 calm;		/* the last sleep was long */
	bool		 asked;		/* report what select() found */
	int		 events, at;	/* of event[] */
	struct epoll_event event[BATCH];
	int		 failed;	/* errno of a call in poller_next() */
	struct watched	 fd[];		/* by descriptor */
};

static struct hybrid *
hybrid_of(struct poller *p)
{
	return (struct hybrid *)p;
}

static void
hybrid_destroy(struct poller *p)
{
	if (hybrid_of(p)->young != NULL)
		poller_select.destroy(hybrid_of(p)->young);
	if (hybrid_of(p)->epoll != -1)
		close(hybrid_of(p)->epoll);
	free(p);
}

static struct poller *
hybrid_create(size_t limit)
{
	struct hybrid *h;

	/* Untouched pages of a large table use no memory. */
	h = calloc(1, sizeof(*h) + limit * sizeof(h->fd[0]));
	if (h == NULL)
		return NULL;
	h->eldest = h->newest = h->shared = NO_FD;
	h->calm = true;
	h->epoll = epoll_create1(EPOLL_CLOEXEC);
	h->young = poller_select.create(limit);
	if (h->epoll == -1 || h->young == NULL) {
		hybrid_destroy(&h->base);
		return NULL;
	}
	poller_select.want(h->young, h->epoll, POLLER_READ);
	return &h->base;
}

/*
 * Calls epoll_ctl(). It can fail only for lack of kernel memory. The session
 * would then hang, so the descriptor is reported as ready and the caller finds
 * out its state.
 */
static int
control_epoll(struct hybrid *h, int op, int fd, unsigned interest,
    uint32_t flags)
{
	struct epoll_event ev;

	ev.events = flags |
	    (interest & POLLER_READ ? (uint32_t)EPOLLIN : 0) |
	    (interest & POLLER_WRITE ? (uint32_t)EPOLLOUT : 0) |
	    (interest & POLLER_URGENT ? (uint32_t)EPOLLPRI : 0);
	ev.data.u64 = (uint64_t)h->fd[fd].version << 32 | (uint32_t)fd;
	return epoll_ctl(h->epoll, op, fd, &ev);
}

static void
join_young(struct hybrid *h, int fd)
{
	struct watched *w = &h->fd[fd];

	w->place = YOUNG;
	w->born = h->calls;
	w->older = h->newest;
	w->younger = NO_FD;
	if (h->newest != NO_FD)
		h->fd[h->newest].younger = (uint32_t)fd;
	else
		h->eldest = (uint32_t)fd;
	h->newest = (uint32_t)fd;
}

static void
leave_young(struct hybrid *h, int fd)
{
	struct watched *w = &h->fd[fd];

	if (w->older != NO_FD)
		h->fd[w->older].younger = w->younger;
	else
		h->eldest = w->younger;
	if (w->younger != NO_FD)
		h->fd[w->younger].older = w->older;
	else
		h->newest = w->older;
	poller_select.forget(h->young, fd);
}

/* Moves a descriptor to epoll; without kernel memory it stays young. */
static void
settle_fd(struct hybrid *h, int fd)
{
	struct watched *w = &h->fd[fd];

	leave_young(h, fd);
	w->place = PARKED;
	if (w->interest == 0)
		return;
	if (control_epoll(h, EPOLL_CTL_ADD, fd, w->interest, 0) == 0) {
		w->place = SETTLED;
		return;
	}
	join_young(h, fd);
	poller_select.want(h->young, fd, w->interest);
}

/*
 * epoll reports errors even without interest, so the descriptor must leave it.
 */
static void
want_settled(struct hybrid *h, int fd, unsigned interest)
{
	struct watched *w = &h->fd[fd];
	int op = EPOLL_CTL_MOD;

	if (interest == 0)
		op = EPOLL_CTL_DEL;
	else if (w->place == PARKED)
		op = EPOLL_CTL_ADD;
	if (control_epoll(h, op, fd, interest, 0) == 0) {
		w->place = interest == 0 ? PARKED : SETTLED;
		return;
	}
	/* An event that epoll keeps reporting would keep select() awake. */
	(void)control_epoll(h, EPOLL_CTL_DEL, fd, 0, 0);
	join_young(h, fd);
	poller_select.want(h->young, fd, interest);
}

static void
hybrid_want(struct poller *p, int fd, unsigned interest)
{
	struct hybrid *h = hybrid_of(p);
	struct watched *w = &h->fd[fd];

	switch (w->place) {
	case NOWHERE:
		join_young(h, fd);
		break;
	case SETTLED:
	case PARKED:
		if (w->interest != interest)
			want_settled(h, fd, interest);
		w->interest = (uint8_t)interest;
		return;
	}
	w->interest = (uint8_t)interest;
	poller_select.want(h->young, fd, interest);
}

static void
join_shared(struct hybrid *h, int fd)
{
	struct watched *w = &h->fd[fd];

	w->older = NO_FD;
	w->younger = h->shared;
	if (h->shared != NO_FD)
		h->fd[h->shared].older = (uint32_t)fd;
	h->shared = (uint32_t)fd;
}

static void
leave_shared(struct hybrid *h, int fd)
{
	struct watched *w = &h->fd[fd];

	if (w->older != NO_FD)
		h->fd[w->older].younger = w->younger;
	else
		h->shared = w->younger;
	if (w->younger != NO_FD)
		h->fd[w->younger].older = w->older;
	/* close() does not remove it: other processes hold the socket. */
	if (w->place == QUEUED)
		(void)epoll_ctl(h->epoll, EPOLL_CTL_DEL, fd, NULL);
	poller_select.forget(h->young, fd);
	w->place = NOWHERE;
}

/*
 * The kernel wakes the process that has waited longest. This call leaves the
 * queue, and the next sleep enters it at its end.
 */
static void
hybrid_share(struct poller *p, int fd, bool on)
{
	struct hybrid *h = hybrid_of(p);
	struct watched *w = &h->fd[fd];

	if (on && w->place == SHARED)
		return;
	if (w->place != NOWHERE)
		leave_shared(h, fd);
	if (!on)
		return;
	join_shared(h, fd);
	w->place = SHARED;
	poller_select.want(h->young, fd, POLLER_READ);
}

/*
 * Before a sleep in epoll_wait(). A listener that epoll refuses stays in
 * select.
 */
static bool
queue_shared(struct hybrid *h)
{
	uint32_t fd;

	for (fd = h->shared; fd != NO_FD; fd = h->fd[fd].younger) {
		if (h->fd[fd].place == QUEUED)
			continue;
		if (control_epoll(h, EPOLL_CTL_ADD, (int)fd, POLLER_READ,
		    EPOLLEXCLUSIVE) == -1)
			return false;
		poller_select.forget(h->young, (int)fd);
		h->fd[fd].place = QUEUED;
	}
	return true;
}

static void
hybrid_forget(struct poller *p, int fd)
{
	struct hybrid *h = hybrid_of(p);
	struct watched *w = &h->fd[fd];

	if (w->place == YOUNG)
		leave_young(h, fd);
	else if (w->place == SHARED || w->place == QUEUED)
		leave_shared(h, fd);
	w->place = NOWHERE;
	w->interest = 0;
	w->version++;
}

static void
settle_due(struct hybrid *h)
{
	uint32_t last = h->newest;
	bool all = h->calm;

	while (h->eldest != NO_FD && (all ||
	    h->calls - h->fd[h->eldest].born >= SETTLE_AFTER)) {
		/* A descriptor that could not settle is the newest again. */
		all = all && h->eldest != last;
		settle_fd(h, (int)h->eldest);
	}
}

static int
take_events(struct hybrid *h, int ms)
{
	h->at = 0;
	h->events = epoll_wait(h->epoll, h->event, BATCH, ms);
	if (h->events == -1) {
		h->events = 0;
		return errno == EINTR ? 0 : -1;
	}
	return h->events > 0;
}

static int
hybrid_wait(struct poller *p, int ms)
{
	struct hybrid *h = hybrid_of(p);
	uint64_t begin = clock_tick_ms();
	int found;

	if (h->failed != 0) {
		errno = h->failed;
		h->failed = 0;
		return -1;
	}
	settle_due(h);
	h->events = h->at = 0;
	h->asked = h->eldest != NO_FD || !queue_shared(h);
	if (h->asked) {
		h->calls++;
		found = poller_select.wait(h->young, ms);
	} else
		found = take_events(h, ms);
	h->calm = clock_tick_ms() != begin;
	return found;
}

static int
next_settled(struct hybrid *h, struct poller_event *ev)
{
	struct epoll_event *e;
	struct watched *w;

	while (h->at < h->events) {
		e = &h->event[h->at++];
		ev->fd = (int)(e->data.u64 & UINT32_MAX);
		w = &h->fd[ev->fd];
		if (w->version != e->data.u64 >> 32)
			continue;
		if (w->place == QUEUED) {
			ev->ready = POLLER_READ;
			return 1;
		}
		ev->ready = 0;
		if (e->events & ~(uint32_t)(EPOLLOUT | EPOLLPRI))
			ev->ready |= POLLER_READ;
		if (e->events & ~(uint32_t)(EPOLLIN | EPOLLPRI))
			ev->ready |= POLLER_WRITE;
		if (e->events & (uint32_t)EPOLLPRI)
			ev->ready |= POLLER_URGENT;
		/*
		 * Report only what is still wanted: an earlier event may have
		 * changed it.
		 */
		if ((ev->ready &= w->interest) != 0)
			return 1;
	}
	return 0;
}

static int
hybrid_next(struct poller *p, struct poller_event *ev)
{
	struct hybrid *h = hybrid_of(p);

	while (h->asked && poller_select.next(h->young, ev)) {
		if (ev->fd != h->epoll)
			return 1;
		/*
		 * The next wait reports the failure: events of select() come
		 * first.
		 */
		if (take_events(h, 0) == -1)
			h->failed = errno;
	}
	h->asked = false;
	return next_settled(h, ev);
}

const struct poller_engine poller_hybrid = {
	.name = "hybrid",
	.create = hybrid_create,
	.destroy = hybrid_destroy,
	.want = hybrid_want,
	.share = hybrid_share,
	.forget = hybrid_forget,
	.wait = hybrid_wait,
	.next = hybrid_next,
};
