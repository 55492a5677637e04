/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * load_run.c: the loop, the schedule and the window of a measurement. A group
 * with a rate starts its operations at fixed moments, whatever became of those
 * before, and counts latency from that moment: one that finds no connection
 * free waits in line and the wait is counted (no coordinated omission). A
 * group without a rate starts the next when the last is done.
 */
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#define OPEN_AT_ONCE	64
#define SCAN_EVERY	(200 * MSEC)
#define SETTLE		(300 * MSEC)
#define DRAIN_LIMIT	(2 * NSEC)
#define LEAST_LIMIT	(20 * NSEC)
#define EVENTS		64

static uint64_t
ns(double secs)
{
	return (uint64_t)(secs * (double)NSEC);
}

/* The moment of the next operation that the schedule asks for. */
static uint64_t
group_due(const struct group *g)
{
	return g->start + ns((double)g->due / g->rate);
}

static void
group_dispatch(struct group *g)
{
	struct conn *c;
	uint64_t since;

	if (g->kind == KIND_SILENT || g->kind == KIND_STREAM)
		return;
	while ((c = STAILQ_FIRST(&g->ready)) != NULL) {
		since = now_ns();
		if (g->rate > 0.0 && group_due(g) > since)
			return;
		STAILQ_REMOVE_HEAD(&g->ready, entry);
		c->listed = false;
		/* A kept connection may have ended while it was waiting. */
		if (g->kind == KIND_RR && c->state != CONN_FREE)
			continue;
		if (g->rate > 0.0) {
			since = group_due(g);
			g->due++;
		}
		conn_start(c, since);
	}
}

/* Open a kept connection; for the first time or anew. */
static void
group_open(struct group *g, struct conn *c)
{
	c->opening = true;
	g->opening++;
	if (g->kind == KIND_STREAM)
		stream_start(c);
	else
		conn_start(c, now_ns());
}

/* What takes too long has failed; what has failed begins again. */
static void
group_scan(struct group *g)
{
	struct run *r = g->run;
	uint64_t now = now_ns(), limit = ns(r->op_timeout);
	struct conn *c;
	size_t i, n = g->kind == KIND_CRR ? g->nconns : g->opened;

	if (g->kind == KIND_SILENT && g->standing == g->nconns)
		return;
	for (i = 0; i < n; i++) {
		c = &g->conns[i];
		if ((c->state == CONN_SEND || c->state == CONN_RECV ||
		    (c->state == CONN_STREAM && !c->paused)) &&
		    now > c->moved + limit)
			conn_fail(c, FAIL_TIMEOUT);
		if (c->state != CONN_CLOSED || r->phase == PHASE_DRAIN)
			continue;
		if (g->kind == KIND_CRR)
			conn_ready(c);
		else if (g->opening < OPEN_AT_ONCE)
			group_open(g, c);
	}
}

/* How long the loop may sleep. */
static uint64_t
run_patience(const struct run *r, uint64_t until)
{
	uint64_t now = now_ns(), at = until;
	const struct group *g;

	if (r->next_scan < at)
		at = r->next_scan;
	for (g = r->group; g < r->group + r->ngroups; g++) {
		if (g->paused > 0 && now + MSEC < at)
			at = now + MSEC;
		if (g->rate > 0.0 && g->kind != KIND_STREAM &&
		    r->phase != PHASE_OPEN && r->phase != PHASE_DRAIN &&
		    !STAILQ_EMPTY(&g->ready) && group_due(g) < at)
			at = group_due(g);
	}
	return at > now ? at - now : 0;
}

static int
run_wait(const struct run *r, struct epoll_event *ev, uint64_t left)
{
	struct timespec ts;
	int n;

	ts.tv_sec = (time_t)(left / NSEC);
	ts.tv_nsec = (long)(left % NSEC);
#ifdef SYS_epoll_pwait2
	n = (int)syscall(SYS_epoll_pwait2, r->ep, ev, EVENTS, &ts, NULL,
	    (size_t)8);
	if (n != -1 || errno != ENOSYS)
		return n;
#endif
	return epoll_wait(r->ep, ev, EVENTS, (int)(left / MSEC));
}

/* One turn of the loop, which ends at the time given or before. */
int
run_step(struct run *r, uint64_t until)
{
	struct epoll_event ev[EVENTS];
	struct group *g;
	int i, n;

	for (g = r->group; g < r->group + r->ngroups; g++) {
		if (r->phase == PHASE_WARM || r->phase == PHASE_MEASURE)
			group_dispatch(g);
		stream_resume(g);
	}
	n = run_wait(r, ev, run_patience(r, until));
	if (n == -1 && errno != EINTR)
		return -1;
	for (i = 0; i < n; i++)
		conn_event(ev[i].data.ptr, ev[i].events);
	if (now_ns() >= r->next_scan) {
		for (g = r->group; g < r->group + r->ngroups; g++)
			group_scan(g);
		r->next_scan = now_ns() + SCAN_EVERY;
	}
	return 0;
}

static int
run_until(struct run *r, uint64_t until)
{
	while (now_ns() < until)
		if (run_step(r, until) == -1)
			return -1;
	return 0;
}

/* A stream has not moved since the measurement began: it may be kept waiting. */
static bool
run_waits(const struct run *r)
{
	const struct group *g;
	const struct conn *c;

	for (g = r->group; g < r->group + r->ngroups; g++)
		for (c = g->conns; c < g->conns + g->nconns; c++)
			if (c->state == CONN_STREAM && c->moved < r->t0 &&
			    !c->paused)
				return true;
	return false;
}

/* Until enough has been compared to judge by, or something has failed. */
static int
run_until_enough(struct run *r)
{
	uint64_t limit = now_ns() + LEAST_LIMIT;

	while ((r->checked < r->least || run_waits(r)) &&
	    run_failed(r) == 0 && now_ns() < limit)
		if (run_step(r, now_ns() + MSEC) == -1)
			return -1;
	return 0;
}

int
run_init(struct run *r)
{
	struct group *g;
	struct conn *c;

	/* Without this a sleep to the next moment is 50 us too long. */
	(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	if ((r->ep = epoll_create1(EPOLL_CLOEXEC)) == -1 ||
	    (r->block = pattern_new()) == NULL ||
	    (r->scratch = malloc(SCRATCH_SIZE)) == NULL)
		return -1;
	for (g = r->group; g < r->group + r->ngroups; g++) {
		g->run = r;
		STAILQ_INIT(&g->ready);
		if ((g->conns = calloc(g->nconns, sizeof(*c))) == NULL)
			return -1;
		for (c = g->conns; c < g->conns + g->nconns; c++) {
			c->group = g;
			c->fd = -1;
			if (g->kind == KIND_CRR)
				conn_ready(c);
		}
	}
	watch_resolve(&r->watch);
	r->next_scan = now_ns() + SCAN_EVERY;
	return 0;
}

void
run_free(struct run *r)
{
	struct group *g;
	size_t i;

	for (g = r->group; g < r->group + r->ngroups; g++) {
		for (i = 0; g->conns != NULL && i < g->nconns; i++)
			conn_close(&g->conns[i]);
		free(g->conns);
	}
	free(r->block);
	free(r->scratch);
	if (r->ep > 0)
		close(r->ep);
}

/* Open what is kept open, group after group. What does not come up in time is
 * told by the figures; the run goes on without it. */
static int
run_open(struct run *r)
{
	uint64_t limit = now_ns() + ns(r->open_timeout);
	struct group *g;

	for (g = r->group; g < r->group + r->ngroups; g++) {
		if (g->kind == KIND_CRR)
			continue;
		g->start = now_ns();
		while (g->standing < g->nconns && now_ns() < limit) {
			while (g->opened < g->nconns &&
			    g->opening < OPEN_AT_ONCE)
				group_open(g, &g->conns[g->opened++]);
			if (run_step(r, now_ns() + 10 * MSEC) == -1)
				return -1;
		}
	}
	return 0;
}

/* What was due in the window and never got its turn waited at least so long. */
static void
group_overdue(struct group *g)
{
	if (g->rate <= 0.0 || g->kind == KIND_STREAM ||
	    g->kind == KIND_SILENT)
		return;
	for (; group_due(g) < g->run->t1; g->due++)
		hist_add(&g->hist, g->run->t1 - group_due(g));
}

static size_t
run_busy(const struct run *r)
{
	const struct group *g;
	size_t i, n = 0;

	for (g = r->group; g < r->group + r->ngroups; g++)
		for (i = 0; i < g->nconns; i++)
			n += g->conns[i].state == CONN_SEND ||
			    g->conns[i].state == CONN_RECV;
	return n;
}

static int
run_drain(struct run *r)
{
	uint64_t limit = now_ns() + DRAIN_LIMIT;
	struct group *g;
	struct conn *c;

	r->phase = PHASE_DRAIN;
	for (g = r->group; g < r->group + r->ngroups; g++) {
		group_overdue(g);
		for (c = g->conns; c < g->conns + g->nconns; c++) {
			if (c->state != CONN_STREAM)
				continue;
			if (c->moved < r->t0 && !c->paused)
				conn_fail(c, FAIL_TIMEOUT);
			else
				conn_close(c);
		}
	}
	while (run_busy(r) > 0 && now_ns() < limit)
		if (run_step(r, limit) == -1)
			return -1;
	r->failed[FAIL_TIMEOUT] += run_busy(r);
	return 0;
}

int
run_measure(struct run *r)
{
	struct group *g;

	sample_take(&r->before, &r->watch, r->sample_flags);
	r->phase = PHASE_OPEN;
	if (run_open(r) == -1)
		return -1;
	r->phase = PHASE_WARM;
	for (g = r->group; g < r->group + r->ngroups; g++) {
		g->start = now_ns();
		g->taken = 0;
	}
	if (run_until(r, now_ns() + ns(r->warm)) == -1)
		return -1;
	sample_take(&r->begin, &r->watch, r->sample_flags);
	r->phase = PHASE_MEASURE;
	r->t0 = now_ns();
	if (run_until(r, r->t0 + ns(r->secs)) == -1 ||
	    run_until_enough(r) == -1)
		return -1;
	r->t1 = now_ns();
	sample_take(&r->end, &r->watch, 0);
	return run_drain(r);
}

/*
 * Open the connections of the first group on schedule and say nothing on them:
 * what the proxy does then is accept and connect. Afterwards a message on each
 * proves that all are through, and the hook may look at them.
 */
int
run_hold(struct run *r)
{
	struct group *g = &r->group[0];
	uint64_t gap, limit;
	size_t i;

	gap = ns((double)r->open_burst / r->open_rate);
	sample_take(&r->before, &r->watch, SAMPLE_SOCKETS);
	sample_take(&r->begin, &r->watch, 0);
	r->phase = PHASE_OPEN;
	r->t0 = now_ns();
	for (i = 0; i < g->nconns; i++) {
		if (i % (size_t)r->open_burst == 0 && run_until(r, r->t0 +
		    i / (size_t)r->open_burst * gap) == -1)
			return -1;
		conn_hold(&g->conns[i]);
	}
	if (run_until(r, now_ns() + SETTLE) == -1)
		return -1;
	r->t1 = now_ns();
	sample_take(&r->end, &r->watch, 0);
	for (g->opened = 0; g->opened < g->nconns; g->opened++)
		group_open(g, &g->conns[g->opened]);
	limit = now_ns() + ns(r->open_timeout);
	while (g->standing < g->nconns && now_ns() < limit)
		if (run_step(r, limit) == -1)
			return -1;
	sample_take(&r->after, &r->watch, SAMPLE_SOCKETS);
	if (r->hook != NULL && system(r->hook) != 0)
		r->failed[FAIL_RESOURCE]++;
	r->phase = PHASE_DRAIN;
	return 0;
}
