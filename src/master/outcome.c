/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * outcome.c: writes the whole file each time, and never waits: a file that
 * cannot be written is logged, and changes nothing else.
 */
#include "config.h"
#include "master/outcome.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ENDING	".status"

/* The path beside the pidfile; without a pidfile there is no status file. */
static void
set_path(struct outcome *o, const char *pidfile)
{
	size_t len = strlen(pidfile);

	if (len == 0)
		return;
	if (len > 4 && strcmp(pidfile + len - 4, ".pid") == 0)
		len -= 4;
	if (snprintf(o->path, sizeof(o->path), "%.*s%s", (int)len, pidfile,
	    ENDING) >= (int)sizeof(o->path))
		o->path[0] = '\0';
}

static void
put_outcome(const struct outcome *o, FILE *f, const char *result,
    uint32_t generation)
{
	const char *at = o->messages;
	size_t n;

	fprintf(f, "pid %d\nversion %s\ngeneration %u\nchanges %u\nlast %s\n"
	    "result %s\n", (int)getpid(), PACKAGE_VERSION, generation,
	    o->changes, o->last, result);
	for (; *at != '\0'; at += n + (at[n] == '\n')) {
		n = strcspn(at, "\n");
		fprintf(f, "message %.*s\n", (int)n, at);
	}
}

static int
write_outcome(struct outcome *o, const char *result, uint32_t generation)
{
	struct safe_draft d;
	FILE *f;
	int err;

	if (safe_file_begin(&d, o->path, 0644) == -1)
		return -1;
	if ((f = fdopen(dup(d.fd), "w")) == NULL) {
		safe_file_discard(&d);
		return -1;
	}
	errno = 0;
	put_outcome(o, f, result, generation);
	/* The first error is the cause. */
	err = ferror(f) ? errno : 0;
	if (fclose(f) == EOF && err == 0)
		err = errno;
	if (err != 0) {
		safe_file_discard(&d);
		errno = err;
		return -1;
	}
	if (safe_file_publish(&d, o->path) == -1)
		return -1;
	safe_file_remember_fd(&o->id, d.fd);
	close(d.fd);
	return 0;
}

static void
tell_outcome(struct outcome *o, struct log *log, const char *result,
    uint32_t generation)
{
	char why[256];

	if (o->path[0] != '\0' && write_outcome(o, result, generation) == -1)
		log_line(log, LOG_WARNING, "status file %s: %s", o->path,
		    safe_file_reason(o->path, errno, why, sizeof(why)));
}

/* Reported at its end: before that there is no pidfile to wait by. */
void
outcome_start(struct outcome *o, struct log *log,
    const struct runtime_files *in)
{
	memset(o, 0, sizeof(*o));
	set_path(o, in->pidfile_name);
	o->last = in->inherited->channel == -1 ? "start" : "upgrade";
	o->running = true;
	log_collect(log, o->messages, sizeof(o->messages));
}

void
outcome_begin(struct outcome *o, struct log *log, const char *what,
    uint32_t generation)
{
	o->last = what;
	o->running = true;
	o->messages[0] = '\0';
	log_collect(log, o->messages, sizeof(o->messages));
	o->changes++;
	tell_outcome(o, log, "running", generation);
}

void
outcome_end(struct outcome *o, struct log *log, bool good, uint32_t generation)
{
	if (!o->running)
		return;
	o->running = false;
	log_collect(log, NULL, 0);
	tell_outcome(o, log, good ? "ok" : "failed", generation);
}

void
outcome_leave(struct outcome *o, struct log *log)
{
	log_collect(log, NULL, 0);
	o->running = false;
	o->path[0] = '\0';
}

void
outcome_remove(struct outcome *o)
{
	if (o->path[0] != '\0')
		safe_file_remove(&o->id, o->path);
}
