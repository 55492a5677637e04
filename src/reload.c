/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * reload.c: two generations of the configuration side by side, of which one
 * goes. Until the new workers are told to accept, nothing has changed that could not be
 * undone; from then on nothing can fail any more.
 */
#include "reload.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "changes.h"
#include "complaints.h"
#include "conf_absent.h"
#include "conf_seats.h"
#include "conf_unused.h"
#include "log_format.h"
#include "options.h"
#include "safe_file.h"
#include "sys.h"
#include "text.h"

/* How long the old workers may take to close their listeners, in ms. */
#define CLOSE_TIME	1000

/* What a reload needs to know of the way back. */
struct attempt {
	struct conf	*conf;		/* what runs: old, then new */
	struct conf	 other;		/* new, then old */
	struct children	*children;
	uint32_t	 before;	/* the generation that ran */
	int		 ms;
	char		 why[1200];	/* what went wrong */
};

/* Say why it comes to nothing. -1, for who returns that. */
static int __attribute__((__format__(__printf__, 2, 3)))
refuse(struct attempt *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->why, sizeof(a->why), fmt, ap);
	va_end(ap);
	return -1;
}

/* What runs becomes the other, and the other way round. */
static void
swap(struct attempt *a)
{
	struct conf was = *a->conf;

	*a->conf = a->other;
	a->other = was;
	a->children->instance->before = &a->other;
}

static void
log_complaints(struct log *log, int level, struct complaints *cs)
{
	size_t i;

	for (i = 0; i < cs->n; i++)
		log_line(log, level, "reload: %s", cs->line[i]);
	if (cs->all > cs->n)
		log_line(log, level, "reload: and %zu more",
		    cs->all - cs->n);
	complaints_free(cs);
}

/* What only a restart can change stays as it is. */
static int
read_again(struct attempt *a)
{
	const struct conf *old = a->conf;
	struct conf *new = &a->other;
	struct complaints complaints = { .n = 0 };
	const char *held;

	conf_init(new);
	/* Files are named as seen from where we were started. */
	if (old->directory != NULL &&
	    (new->directory = strdup(old->directory)) == NULL)
		return refuse(a, "%s", strerror(errno));
	if (options_parse(new, old->argc, old->argv, &complaints) !=
	    OPTIONS_RUN) {
		log_complaints(a->children->log, LOG_ERR, &complaints);
		return refuse(a, "the configuration has errors");
	}
	conf_unused(new, &complaints);
	conf_absent(new, &complaints);
	log_complaints(a->children->log, LOG_WARNING, &complaints);
	held = a->children->instance->pidfile_name;
	if (strcmp(new->pidfile == NULL ? "" : new->pidfile, held) != 0)
		log_line(a->children->log, LOG_WARNING, "reload: the pidfile "
		    "stays %s until a restart", *held == '\0' ? "none" : held);
	return new->workers == 0 ?
	    refuse(a, "workers: 0 needs a restart") : 0;
}

static int
replace_log(struct log *log, const struct conf *c)
{
	if (log_replace(log, c->log, c->log_level) == -1)
		return -1;
	log_set_style(log, log_format_style(c->log_format));
	return 0;
}

/* Everything that the new workers need, but themselves. */
static int
prepare(struct attempt *a)
{
	struct children *cs = a->children;
	uint32_t oldest = board_oldest(cs->board);
	const char *full;
	char why[256];

	if (instance_prepare(cs->instance, &a->other) != 0)
		return refuse(a, "%s", cs->instance->why);
	full = conf_sit_down(&a->other, cs->board, ++cs->latest, oldest);
	if (full != NULL)
		refuse(a, "too many %s while earlier generations drain", full);
	else if (replace_log(cs->log, &a->other) == -1)
		refuse(a, "log %s: %s", a->other.log,
		    safe_reason(a->other.log, errno, why, sizeof(why)));
	else
		return 0;
	instance_release(&a->other, a->conf);
	return -1;
}

/* One could not even be forked. */
static int
no_worker(struct attempt *a, unsigned i)
{
	return errno == ENOSPC ? refuse(a, "there is no place for worker %u: "
	    "all %u are taken, earlier generations included", i + 1,
	    a->children->board->rows) : refuse(a, "worker %u: %s", i + 1, strerror(errno));
}

/* The new workers, of the new configuration. */
static int
start(struct attempt *a)
{
	struct children *cs = a->children;
	unsigned i;

	swap(a);
	cs->generation = cs->latest;
	cs->hold = true;
	for (i = 0; i < a->conf->workers; i++)
		if (children_add(cs) == -1)
			return no_worker(a, i);
	return children_wait_ready(cs, a->ms) == 0 ? 0 :
	    refuse(a, "a new worker could not start");
}

static void
undo(struct attempt *a)
{
	struct children *cs = a->children;

	children_abandon_new(cs, a->before);
	swap(a);
	instance_release(&a->other, a->conf);
	/* It was open a moment ago; if it is not now, the new one serves. */
	(void)replace_log(cs->log, a->conf);
}

static bool
listens(const struct conf *c, const struct listener *l)
{
	const struct listener *other;

	for (other = c->listener; other < c->listener + c->listeners; other++)
		if (other->fd == l->fd)
			return true;
	return false;
}

/* What comes and what goes, for those who read the log later. */
static void
log_changes(const struct attempt *a)
{
	const struct conf *new = a->conf, *old = &a->other;
	const struct listener *l;

	for (l = new->listener; l < new->listener + new->listeners; l++)
		if (!listens(old, l))
			log_line(a->children->log, LOG_NOTICE,
			    "listening on %s", l->name);
	for (l = old->listener; l < old->listener + old->listeners; l++)
		if (!listens(new, l))
			log_line(a->children->log, LOG_NOTICE,
			    "no longer listening on %s", l->name);
}

static void
finish(struct attempt *a)
{
	struct children *cs = a->children;
	const struct conf *c = a->conf;
	unsigned old;

	log_changes(a);
	children_go(cs);
	children_set_prober(cs);
	/* First our own copies: then no connection comes after the last. */
	instance_release(&a->other, a->conf);
	atomic_store(&cs->board->ledger->generation, cs->generation);
	/* Those before go on logging where they did. */
	if (strcmp(a->conf->log, a->other.log) != 0)
		cs->log_since = cs->generation;
	old = children_retire_old(cs, CLOSE_TIME);
	if (instance_changed(cs->instance) != 0)
		log_line(cs->log, LOG_ERR, "reload: %s", cs->instance->why);
	log_line(cs->log, LOG_NOTICE, "reloaded: generation %u has %u worker%s"
	    ", %zu listener%s, %zu backend%s; %u worker%s before it to drain",
	    cs->generation, c->workers, text_s(c->workers), c->listeners,
	    text_s(c->listeners), c->backends, text_s(c->backends), old,
	    text_s(old));
	changes_log_reload(cs->log, c, cs->board, cs->generation, &a->other);
}

int
reload(struct conf *conf, struct children *cs, int ms)
{
	struct attempt a = { .conf = conf, .children = cs, .ms = ms,
	    .before = cs->generation };
	bool begun = false, done = false;

	if (read_again(&a) == 0 && prepare(&a) == 0) {
		begun = true;
		done = start(&a) == 0;
	}
	if (done)
		finish(&a);
	else if (begun)
		undo(&a);
	if (!done)
		log_line(cs->log, LOG_ERR, "reload: %s; the configuration "
		    "before it goes on", a.why);
	cs->instance->before = NULL;
	conf_free(&a.other);
	return done ? 0 : -1;
}
