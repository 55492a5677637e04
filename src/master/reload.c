/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * reload.c: two generations of the configuration side by side, until the old
 * one ends. Before the new workers are told to accept, every change can be
 * undone; after that nothing can fail.
 */
#include "master/reload.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/conf_absent.h"
#include "config/conf_hosts.h"
#include "config/conf_slots.h"
#include "config/conf_unused.h"
#include "config/diagnostics.h"
#include "config/options.h"
#include "config/settings.h"
#include "master/changes.h"
#include "process/logs.h"
#include "session/access_log_format.h"
#include "sys/clock.h"
#include "sys/safe_file.h"
#include "util/text.h"

/* Time for the old workers to close their listeners, in ms. */
#define CLOSE_TIME	1000

/* Sets the reason of a failure. Returns -1. */
static int __attribute__((__format__(__printf__, 2, 3)))
refuse(struct reload *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
	return -1;
}

static void
log_reload_diagnostics(struct log *log, int level, struct diagnostics *cs)
{
	size_t i;

	for (i = 0; i < cs->n; i++)
		log_line(log, level, "reload: %s", cs->line[i]);
	if (cs->all > cs->n)
		log_line(log, level, "reload: and %zu more",
		    cs->all - cs->n);
	diagnostics_free(cs);
}

/* Reads the settings; names are resolved next. */
static int
read_again(struct reload *r)
{
	const struct conf *old = r->conf;
	struct conf *new = &r->other;

	memset(&r->diagnostics, 0, sizeof(r->diagnostics));
	conf_init(new);
	/* File names are relative to the directory of the start. */
	if (old->directory != NULL &&
	    (new->directory = strdup(old->directory)) == NULL)
		return refuse(r, "%s", strerror(errno));
	r->action = options_read(new, old->argc, old->argv, &r->diagnostics);
	return conf_hosts_list(new->settings, &new->hosts) == -1 ?
	    refuse(r, "%s", strerror(errno)) : 0;
}

/* Values that only a restart can change stay. */
static int
make_next(struct reload *r)
{
	struct conf *new = &r->other;
	struct diagnostics *cs = &r->diagnostics;
	const char *held;

	if (!conf_hosts_answered(new->settings, &new->hosts, cs) ||
	    options_make(new, r->action, cs) != OPTIONS_RUN) {
		log_reload_diagnostics(r->children->log, LOG_ERR, cs);
		return refuse(r, "the configuration has errors");
	}
	conf_unused(new, cs);
	conf_absent(new, cs);
	log_reload_diagnostics(r->children->log, LOG_WARNING, cs);
	held = r->children->instance->pidfile_name;
	if (strcmp(new->pidfile == NULL ? "" : new->pidfile, held) != 0)
		log_line(r->children->log, LOG_WARNING, "reload: the pidfile "
		    "stays %s until a restart", *held == '\0' ? "none" : held);
	return new->workers == 0 ?
	    refuse(r, "workers: 0 needs a restart") : 0;
}

/* Everything that the new workers need, except themselves. */
static int
prepare_reload(struct reload *r, struct log **log)
{
	struct process_table *cs = r->children;
	uint32_t oldest = board_oldest(cs->board);
	const struct conf *new = &r->other;
	struct diagnostics none = { .n = 0 };
	const char *full;
	char why[256];

	if (runtime_files_prepare(cs->instance, &r->other) != 0)
		return refuse(r, "%s", cs->instance->why);
	full = conf_assign_slots(&r->other, cs->board, ++cs->latest, oldest);
	if (full != NULL)
		refuse(r, "too many %s while earlier generations drain", full);
	else if ((*log = log_open_at(new->log, new->log_level,
	    &new->log_addr)) == NULL)
		refuse(r, "log %s: %s", new->log,
		    safe_file_reason(new->log, errno, why, sizeof(why)));
	else if (logs_open(&r->other, r->conf, cs->latest, &none) == -1) {
		refuse(r, "%s", none.n > 0 ? none.line[0] : strerror(ENOMEM));
		diagnostics_free(&none);
		log_close(*log);
	} else {
		log_set_style(*log, access_log_format_style(new->log_format));
		log_set_instance(*log, new->name);
		return 0;
	}
	runtime_files_release(&r->other, r->conf);
	return -1;
}

/* The listener itself, or its replacement. */
static bool
conf_listens(const struct conf *c, const struct listener *l)
{
	const struct listener *other;

	for (other = c->listener; other < c->listener + c->listeners; other++)
		if (other->fd == l->fd || other->replaces == l->fd)
			return true;
	return false;
}

/* Logs listeners that were added and removed. */
static void
log_changes(const struct reload *r)
{
	const struct conf *new = r->conf, *old = &r->other;
	const struct listener *l;

	for (l = new->listener; l < new->listener + new->listeners; l++)
		if (l->fault != NULL || !conf_listens(old, l))
			listener_log(l, r->children->log);
	for (l = old->listener; l < old->listener + old->listeners; l++)
		if (!conf_listens(new, l))
			log_line(r->children->log, LOG_NOTICE,
			    "no longer listening on %s", l->name);
}

/* Exchanges the running configuration and the other one. */
static void
swap_configurations(struct reload *r)
{
	struct conf was = *r->conf;

	*r->conf = r->other;
	r->other = was;
}

static void
end_reload(struct reload *r, bool failed)
{
	if (failed && r->cancelled)
		log_line(r->children->log, LOG_NOTICE, "reload: cancelled: "
		    "the service ends");
	else if (failed)
		log_line(r->children->log, LOG_ERR, "reload: %s; the "
		    "old configuration stays in use", r->why);
	r->state = RELOAD_IDLE;
	r->failed = failed;
	diagnostics_free(&r->diagnostics);
	logs_close(&r->other);
	conf_free(&r->other);
}

/* At least some new workers were forked. */
static void
undo_reload(struct reload *r)
{
	struct log *log = r->children->coming.log;

	process_generation_abandon(r->children);
	runtime_files_release(&r->other, r->conf);
	log_close(log);
	end_reload(r, true);
}

/* From here on nothing can be undone. */
static void
go_over(struct reload *r)
{
	struct process_table *cs = r->children;
	struct log *log = cs->coming.log;

	process_generation_go(cs);
	swap_configurations(r);
	/* Old processes continue to use their logs. */
	if (strcmp(r->conf->log, r->other.log) != 0)
		cs->log_since = cs->generation;
	log_replace(cs->log, log);
	logs_close(&r->other);
	log_changes(r);
	process_table_set_prober(cs);
	/*
	 * Close the master's copies first: then no connection comes after the
	 * last.
	 */
	runtime_files_release(&r->other, r->conf);
	atomic_store(&cs->board->ledger->generation, cs->generation);
	r->old = process_generation_retire(cs);
	r->state = RELOAD_CLOSE;
	r->deadline = clock_now_ms() + CLOSE_TIME;
}

static void
finish_reload(struct reload *r)
{
	struct process_table *cs = r->children;
	const struct conf *c = r->conf;
	size_t listeners = settings_count(c->settings, SECTION_LISTEN);
	size_t servers = settings_count(c->settings, SECTION_SERVER);

	cs->instance->before = &r->other;
	if (runtime_files_changed(cs->instance) != 0)
		log_line(cs->log, LOG_ERR, "reload: %s", cs->instance->why);
	cs->instance->before = NULL;
	log_line(cs->log, LOG_NOTICE, "reloaded: generation %u has %u worker%s"
	    ", %zu listener%s, %zu server%s; %u worker%s before it to drain",
	    cs->generation, c->workers, text_s(c->workers), listeners,
	    text_s(listeners), servers, text_s(servers), r->old,
	    text_s(r->old));
	changes_log_reload(cs->log, c, cs->board, cs->generation, &r->other);
	process_table_limit(cs);
	end_reload(r, false);
}

void
reload_init(struct reload *r, struct conf *conf, struct process_table *cs)
{
	memset(r, 0, sizeof(*r));
	r->conf = conf;
	r->children = cs;
}

/* All names are resolved, as far as possible. */
static void
begin_start(struct reload *r)
{
	struct process_table *cs = r->children;
	struct log *log = NULL;

	r->state = RELOAD_START;
	if (make_next(r) == -1 || prepare_reload(r, &log) == -1)
		end_reload(r, true);
	else if (process_generation_begin(cs, cs->latest, &r->other, log) ==
	    -1) {
		refuse(r, "%s", cs->why);
		undo_reload(r);
	}
}

static void
leave_all(void *children)
{
	struct process_table *cs = children;

	process_table_leave(cs, false);
	runtime_files_close_copies(cs->instance);
}

void
reload_begin(struct reload *r)
{
	struct hosts *hosts = &r->other.hosts;

	r->state = RELOAD_NAMES;
	if (read_again(r) == -1)
		end_reload(r, true);
	else if (hosts->n == 0)
		begin_start(r);
	else if (lookups_begin(&r->lookups, hosts, LOOKUPS_TIME, &r->conf->user,
	    leave_all, r->children) == -1) {
		refuse(r, "names: %s", strerror(errno));
		end_reload(r, true);
	}
}

bool
reload_reaped(struct reload *r, pid_t pid)
{
	return lookups_reaped(&r->lookups, pid);
}

bool
reload_turn(struct reload *r)
{
	switch (r->state) {
	case RELOAD_IDLE:
		return false;
	case RELOAD_NAMES:
		if (!lookups_done(&r->lookups))
			return false;
		lookups_end(&r->lookups);
		begin_start(r);
		return r->state == RELOAD_IDLE;
	case RELOAD_START:
		switch (process_generation_ready(r->children)) {
		case 1:
			go_over(r);
			return false;
		case 0:
			return false;
		default:
			refuse(r, "%s", r->children->why);
			undo_reload(r);
			return true;
		}
	case RELOAD_CLOSE:
		if (process_generation_accept(r->children) &&
		    clock_now_ms() < r->deadline)
			return false;
		finish_reload(r);
		break;
	}
	return true;
}

int
reload_wait(const struct reload *r)
{
	uint64_t now = clock_now_ms();

	switch (r->state) {
	case RELOAD_NAMES:
		return lookups_wait(&r->lookups);
	case RELOAD_START:
		return process_generation_patience(r->children);
	case RELOAD_CLOSE:
		return r->deadline <= now ? 0 : (int)(r->deadline - now);
	default:
		return -1;
	}
}

void
reload_cancel(struct reload *r)
{
	r->cancelled = true;
	switch (r->state) {
	case RELOAD_IDLE:
		break;
	case RELOAD_NAMES:
		lookups_end(&r->lookups);
		end_reload(r, true);
		break;
	case RELOAD_START:
		undo_reload(r);
		break;
	case RELOAD_CLOSE:
		finish_reload(r);
		break;
	}
}
