/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * logs.c: applies the operations of the main log to the log of each listener.
 */
#include "process/logs.h"

#include <errno.h>
#include <string.h>

#include "config/settings.h"
#include "session/access_log_format.h"
#include "sys/safe_file.h"

static bool
slot_is_taken(const struct conf *c, uint32_t slot)
{
	size_t i;

	for (i = 0; i < c->own_logs; i++)
		if (c->own_log[i].slot == slot)
			return true;
	return false;
}

/* Places kept logs first, so that new ones do not take their slots. */
static void
choose_slots(struct conf *c, const struct conf *before, uint32_t generation)
{
	struct own_log *l;
	uint32_t slot = 1;
	size_t i, k;

	for (i = 0; i < c->own_logs; i++)
		for (k = 0; before != NULL && k < before->own_logs; k++)
			if (strcmp(c->own_log[i].target,
			    before->own_log[k].target) == 0) {
				c->own_log[i].slot = before->own_log[k].slot;
				c->own_log[i].since = before->own_log[k].since;
			}
	for (i = 0; i < c->own_logs; i++) {
		l = &c->own_log[i];
		if (l->slot != 0)
			continue;
		while (slot_is_taken(c, slot))
			slot++;
		l->slot = slot;
		l->since = generation;
	}
}

int
logs_open(struct conf *c, const struct conf *before, uint32_t generation,
    struct diagnostics *cs)
{
	struct own_log *l;
	char why[256];
	size_t i;

	choose_slots(c, before, generation);
	for (i = 0; i < c->own_logs; i++) {
		l = &c->own_log[i];
		if ((l->log = log_open_at(l->target, c->log_level,
		    &l->addr)) == NULL) {
			value_reject(cs, l->said, l->target, safe_file_reason(
			    l->target, errno, why, sizeof(why)));
			logs_close(c);
			return -1;
		}
		log_set_style(l->log, access_log_format_style(c->log_format));
		log_set_instance(l->log, c->name);
	}
	return 0;
}

void
logs_close(struct conf *c)
{
	size_t i;

	for (i = 0; i < c->own_logs; i++) {
		log_close(c->own_log[i].log);
		c->own_log[i].log = NULL;
	}
}

void
logs_leave(struct conf *c)
{
	logs_ident(c, "other");
	logs_close(c);
}

void
logs_ident(struct conf *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->own_logs; i++)
		if (c->own_log[i].log != NULL)
			log_ident(c->own_log[i].log, name);
}

void
logs_count_lost(struct conf *c, _Atomic uint64_t *counter)
{
	size_t i;

	for (i = 0; i < c->own_logs; i++)
		log_count_lost(c->own_log[i].log, counter);
}

void
logs_flush(const struct conf *c)
{
	size_t i;

	for (i = 0; i < c->own_logs; i++)
		log_flush(c->own_log[i].log);
}

int
logs_wait(const struct conf *c, int limit)
{
	size_t i;

	for (i = 0; i < c->own_logs; i++)
		limit = log_wait(c->own_log[i].log, limit);
	return limit;
}

static bool
reopen_one(struct log *log, struct log *one, const char *target)
{
	char why[256];

	if (log_reopen(one) == 0)
		return true;
	log_line(log, LOG_ERR, "log: %s: %s; the old file stays", target,
	    safe_file_reason(target, errno, why, sizeof(why)));
	return false;
}

bool
logs_reopen(struct log *log, const struct conf *c)
{
	bool done = reopen_one(log, log, c->log);
	size_t i;

	for (i = 0; i < c->own_logs; i++)
		(void)reopen_one(log, c->own_log[i].log, c->own_log[i].target);
	return done;
}

struct log *
logs_at(struct log *log, const struct conf *c, unsigned slot)
{
	size_t i;

	if (slot == 0)
		return log;
	for (i = 0; i < c->own_logs; i++)
		if (c->own_log[i].slot == slot)
			return c->own_log[i].log;
	return NULL;
}
