/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * prober.c: sets the prober up and turns its loop. It is told nothing but where
 * to log, and ends with its master.
 */
#include "prober.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "checks.h"
#include "filter.h"
#include "names.h"
#include "poller.h"
#include "priv.h"
#include "process.h"
#include "rlimit.h"
#include "sandbox.h"
#include "signals.h"
#include "text.h"

/* The longest sleep, in ms. */
#define SLEEP	1000

struct prober {
	struct conf	*conf;
	struct board	*board;
	struct log	*log;
	int		 channel;
	int		 signals;
	struct poller	*poller;
	struct checks	*checks;
	struct names	*names;
	const char	*sandbox;	/* what it consists of */
	const char	*step;		/* of the set-up, for its error */
	uint32_t	 changes;	/* on the board, that were acted on */
	bool		 stop;
};

bool
prober_is_needed(const struct conf *c)
{
	size_t i;

	if (names_wanted(c) > 0)
		return true;
	for (i = 0; i < c->pools; i++)
		if (c->pool[i].checked)
			return true;
	return false;
}

/*
 * Whoever was here before may have been killed between a change and the word of
 * it: give that now, for all that stands on the board.
 */
static void
tell_again(const struct prober *p)
{
	const struct conf *c = p->conf;
	size_t i;

	for (i = 0; i < c->pools; i++)
		atomic_fetch_add(&p->board->pool[c->pool[i].seat].version, 1);
	atomic_fetch_add(&p->board->head->changes, 1);
}

static int
set_up(struct prober *p)
{
	size_t descriptors = rlimit_raise_descriptors();
	sigset_t signals;

	p->step = "names";
	if ((p->names = names_new(p->conf, p->board, p->log)) == NULL)
		return -1;
	p->step = "change of user";
	if (priv_drop(&p->conf->user, p->conf->chroot, false) == -1)
		return -1;
	p->step = "signals and poller";
	signals_hold(&signals);
	if ((p->signals = signals_open(&signals)) == -1 ||
	    (p->poller = poller_new(p->conf->engine, descriptors)) == NULL ||
	    names_start(p->names, p->poller, descriptors) == -1)
		return -1;
	poller_want(p->poller, p->signals, POLLER_READ);
	poller_want(p->poller, p->channel, POLLER_READ);
	p->step = "checks";
	p->checks = checks_new(p->conf, p->board, p->log, p->poller,
	    descriptors);
	if (p->checks == NULL)
		return -1;
	p->step = "sandbox (--sandbox off does without)";
	p->sandbox = p->conf->sandbox ? sandbox_enter(FILTER_PROBER |
	    (conf_binds(p->conf) ? FILTER_BIND : 0) |
	    (conf_leaves_abstract(p->conf) ? FILTER_ABSTRACT : 0)) : "off";
	return p->sandbox == NULL ? -1 : 0;
}

struct prober *
prober_new(struct conf *conf, struct board *board, struct log *log,
    int channel)
{
	struct prober *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->conf = conf;
	p->board = board;
	p->log = log;
	p->channel = channel;
	p->signals = -1;
	if (set_up(p) == 0) {
		tell_again(p);
		log_line(log, LOG_INFO, "ready: uid %d, sandbox %s",
		    (int)geteuid(), p->sandbox);
		return p;
	}
	log_line(log, LOG_ERR, "cannot start: %s: %s", p->step,
	    strerror(errno));
	prober_free(p);
	return NULL;
}

void
prober_free(struct prober *p)
{
	checks_free(p->checks);
	names_free(p->names);
	poller_free(p->poller);
	if (p->signals != -1)
		close(p->signals);
	close(p->channel);
	log_flush(p->log);
	free(p);
}

static void
on_channel(struct prober *p)
{
	int fd, got;
	char what;

	while ((got = channel_receive(p->channel, &what, &fd)) == 1) {
		if (what == CHANNEL_LOG && fd != -1)
			log_use_fd(p->log, fd);
		else if (fd != -1)
			close(fd);
	}
	/* The master is gone: who would replace us after a reload? */
	if (got == 0)
		p->stop = true;
}

/* What a terminal sends to all is for the master to decide. */
static void
on_signals(struct prober *p)
{
	int sig;

	while ((sig = signals_next(p->signals)) != 0)
		if (sig == SIGTERM)
			p->stop = true;
}

/*
 * Who waits for what has been found waits no longer; and of a server that is new
 * nothing is known yet.
 */
static void
follow_changes(struct prober *p)
{
	uint32_t changes = atomic_load(&p->board->head->changes);

	if (changes == p->changes)
		return;
	p->changes = changes;
	checks_follow(p->checks);
	board_ring_all(p->board);
}

static int
turn(struct prober *p)
{
	struct poller_event ev;
	int ms = log_wait(p->log, SLEEP);

	ms = checks_wait(p->checks, names_wait(p->names, ms));
	if (poller_wait(p->poller, ms) == -1)
		return -1;
	while (poller_next(p->poller, &ev))
		if (ev.fd == p->channel)
			on_channel(p);
		else if (ev.fd == p->signals)
			on_signals(p);
		else if (!names_event(p->names, &ev))
			(void)checks_event(p->checks, &ev);
	names_turn(p->names);
	if (checks_turn(p->checks) == -1)
		return -1;
	follow_changes(p);
	log_flush(p->log);
	return 0;
}

int
prober_loop(struct prober *p)
{
	while (!p->stop)
		if (turn(p) == -1) {
			log_line(p->log, LOG_ERR, "cannot go on: %s",
			    strerror(errno));
			return PROCESS_FAILED;
		}
	return PROCESS_DONE;
}
