/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * startup.c: workers, pidfile, ports, in this order, so that a client that
 * finds the service is served. Until then errors go to standard error, for the
 * process that starts this one.
 */
#include "master/startup.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "config/settings.h"
#include "master/changes.h"
#include "master/daemonize.h"
#include "process/process.h"
#include "sys/channel.h"
#include "sys/clock.h"
#include "util/text.h"

/* Time for the other master to answer, in ms. */
#define ANSWER_TIME	5000

static void __attribute__((__format__(__printf__, 3, 4)))
fail(struct startup *st, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vwarnx(fmt, ap);
	va_end(ap);
	st->state = STARTUP_FAILED;
	st->status = status;
}

/* The log has the messages of workers, but not that one has failed silently. */
static void
fail_workers(struct startup *st)
{
	const struct process_table *cs = st->children;

	if (cs->coming.failed)
		fail(st, EX_OSERR, "%s: the log says why (%s)", cs->why,
		    cs->conf->log);
	else
		fail(st, EX_OSERR, "%s", cs->why);
}

void
startup_begin(struct startup *st, struct process_table *cs)
{
	memset(st, 0, sizeof(*st));
	st->children = cs;
	st->before = cs->instance->inherited->channel;
	st->candidate = st->before != -1;
	if (st->candidate) {
		st->group = getpgid(getppid());
		poller_want(cs->poller, st->before, POLLER_READ);
	}
	if (process_generation_begin(cs, cs->generation, cs->conf, cs->log) ==
	    -1)
		fail_workers(st);
}

static void
say_ready(const struct startup *st)
{
	const struct process_table *cs = st->children;
	const struct conf *c = cs->conf;
	size_t i;

	for (i = 0; i < c->listeners; i++)
		listener_log(&c->listener[i], cs->log);
	i = settings_count(c->settings, SECTION_SERVER);
	log_line(cs->log, LOG_NOTICE, "%u worker%s, %zu server%s: ready",
	    c->workers, text_s(c->workers), i, text_s(i));
	changes_log(cs->log, st->before == -1 ? "start" : "upgrade", c,
	    cs->board, cs->generation, cs->instance->inherited->inventory);
}

/*
 * During an upgrade this process had its own process group: return to the old
 * one.
 */
static void
join_group(const struct startup *st)
{
	const struct process_table *cs = st->children;
	uint32_t i;

	if (setpgid(0, st->group) == -1)
		return;
	for (i = 0; i < cs->slots; i++)
		if (cs->at[i].pid != 0)
			(void)setpgid(cs->at[i].pid, st->group);
	if (cs->prober.pid != 0)
		(void)setpgid(cs->prober.pid, st->group);
}

/* Nothing is left of the old master except what was taken over. */
static void
finish_startup(struct startup *st)
{
	struct process_table *cs = st->children;

	if (st->before != -1) {
		poller_forget(cs->poller, st->before);
		join_group(st);
	}
	runtime_files_claim(cs->instance);
	say_ready(st);
	process_table_limit(cs);
	fd_inherit_free(cs->instance->inherited);
	st->before = -1;
	st->state = STARTUP_DONE;
}

/* All workers could accept, and the pidfile is free: serve. */
static void
serve_startup(struct startup *st)
{
	struct process_table *cs = st->children;
	int status;

	if ((status = runtime_files_announce(cs->instance)) != 0) {
		fail(st, status, "%s", cs->instance->why);
		return;
	}
	process_generation_go(cs);
	process_table_set_prober(cs);
	if (st->before == -1) {
		finish_startup(st);
		return;
	}
	/* A worker that has ended meanwhile does not matter. */
	(void)channel_send(st->before, CHANNEL_READY, -1);
	if (!cs->conf->foreground)
		daemonize_detach();
	st->state = STARTUP_HAND_OVER;
	st->deadline = clock_now_ms() + ANSWER_TIME;
}

static void
take_over(struct startup *st)
{
	if (st->before == -1) {
		serve_startup(st);
		return;
	}
	st->state = STARTUP_TAKE_OVER;
	st->deadline = clock_now_ms() + ANSWER_TIME;
	if (channel_send(st->before, CHANNEL_READY, -1) == -1)
		fail(st, EX_OSERR, "upgrade: the old master is gone");
}

bool
startup_settle(struct startup *st)
{
	if (st->state != STARTUP_HAND_OVER)
		return false;
	finish_startup(st);
	return true;
}

/* Once the channel is closed the old master receives nothing, and continues. */
void
startup_cancel(struct startup *st)
{
	struct inheritance *in = st->children->instance->inherited;

	if (st->before != -1) {
		poller_forget(st->children->poller, st->before);
		close(st->before);
		st->before = in->channel = -1;
	}
	st->state = STARTUP_OVER;
}

bool
startup_event(struct startup *st, int fd)
{
	char what = 0;
	int got;

	if (st->before == -1 || fd != st->before)
		return false;
	if ((got = channel_receive_untrusted(fd, &what)) == -1 &&
	    errno != EBADMSG)
		return true;
	if (st->state == STARTUP_HAND_OVER)
		/*
		 * The old master closes the channel when the service manager
		 * accepts this one.
		 */
		finish_startup(st);
	else if (got == 1 && what == CHANNEL_CLOSED &&
	    st->state == STARTUP_TAKE_OVER)
		serve_startup(st);
	else
		fail(st, EX_OSERR, "upgrade: the old master %s", got == 0 ?
		    "is gone" : "sent an invalid message");
	return true;
}

/* The old master waits as long as there is progress. */
static void
tell_progress(struct startup *st)
{
	uint64_t progress = st->children->coming.progress;

	if (st->before == -1 || st->told == progress)
		return;
	st->told = progress;
	(void)channel_send(st->before, CHANNEL_STARTING, -1);
}

void
startup_turn(struct startup *st)
{
	switch (st->state) {
	case STARTUP_WORKERS:
		tell_progress(st);
		switch (process_generation_ready(st->children)) {
		case 1:
			take_over(st);
			break;
		case -1:
			fail_workers(st);
			break;
		}
		break;
	case STARTUP_TAKE_OVER:
		if (st->children->coming.failed)
			fail_workers(st);
		else if (clock_now_ms() >= st->deadline)
			fail(st, EX_OSERR, "upgrade: the old master does "
			    "not answer");
		break;
	case STARTUP_HAND_OVER:
		if (clock_now_ms() >= st->deadline)
			finish_startup(st);
		break;
	default:
		break;
	}
}

int
startup_wait(const struct startup *st)
{
	uint64_t now = clock_now_ms();

	switch (st->state) {
	case STARTUP_WORKERS:
		return process_generation_patience(st->children);
	case STARTUP_TAKE_OVER:
	case STARTUP_HAND_OVER:
		return st->deadline <= now ? 0 : (int)(st->deadline - now);
	case STARTUP_FAILED:
		return 0;
	default:
		return -1;
	}
}

bool
startup_serves(const struct startup *st)
{
	return !st->candidate || st->state == STARTUP_HAND_OVER ||
	    st->state == STARTUP_DONE;
}
