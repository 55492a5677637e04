/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * instance.c: makes and removes the files and sockets by which others find a
 * running shuttled. Runs before there is a log to write to, so that it speaks
 * on stderr.
 */
#include "instance.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "sys.h"

static int
lock_pidfile(struct instance *in)
{
	const char *path = in->conf->pidfile;
	pid_t other = -1;

	if (path == NULL)
		return 0;
	if ((in->pidfile = pidfile_open(path, 0644, &other)) != NULL)
		return 0;
	if (errno == EEXIST) {
		warnx("pidfile %s: another instance is running, pid %d", path,
		    (int)other);
		return EX_TEMPFAIL;
	}
	warn("pidfile %s", path);
	return EX_CANTCREAT;
}

static int
open_listener(struct listener *l)
{
	int err;

	if (listener_open(l) == 0) {
		if (l->fast_open)
			sys_fast_open(l->fd);
		if (l->defer_accept > 0)
			sys_defer_accept(l->fd, l->defer_accept);
		return 0;
	}
	err = errno;
	if (err == EEXIST)
		warnx("listen on %s: this file is not a socket: remove it, or "
		    "choose another path", l->name);
	else
		warn("listen on %s", l->name);
	return err == EACCES || err == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
}

static int
open_listeners(struct conf *c)
{
	struct listener *l;
	size_t i;
	int status;

	for (i = 0; i < c->listeners; i++) {
		if ((status = open_listener(&c->listener[i])) != 0)
			return status;
	}
	for (i = 0; i < c->builtins; i++) {
		l = &c->builtin[i];
		if ((status = open_listener(l)) != 0)
			return status;
		c->backend[l->backend].addr = l->addr;
	}
	return 0;
}

int
instance_open(struct instance *in, struct conf *c)
{
	int status;

	memset(in, 0, sizeof(*in));
	in->conf = c;
	if ((status = lock_pidfile(in)) != 0)
		return status;
	return open_listeners(c);
}

/* A reader sees the whole list or no file at all. */
static int
write_ports(struct instance *in)
{
	const char *path = in->conf->ports_file;
	FILE *f;
	size_t i;
	int bad;

	snprintf(in->ports_temp, sizeof(in->ports_temp), "%s.%d", path,
	    (int)getpid());
	if ((f = fopen(in->ports_temp, "we")) == NULL)
		goto fail;
	for (i = 0; i < in->conf->listeners; i++)
		fprintf(f, "%s\n", in->conf->listener[i].name);
	bad = ferror(f);
	if (fclose(f) == EOF || bad || rename(in->ports_temp, path) == -1) {
		unlink(in->ports_temp);
		goto fail;
	}
	return 0;
fail:
	warn("ports file %s", path);
	return EX_CANTCREAT;
}

int
instance_announce(struct instance *in)
{
	if (in->pidfile != NULL && pidfile_write(in->pidfile) == -1) {
		warn("pidfile %s", in->conf->pidfile);
		return EX_CANTCREAT;
	}
	return in->conf->ports_file == NULL ? 0 : write_ports(in);
}

void
instance_leave(struct instance *in)
{
	/* A worker that outlives its master must not keep the lock. */
	if (in->pidfile != NULL)
		pidfile_close(in->pidfile);
	in->pidfile = NULL;
}

void
instance_stop_listening(struct instance *in)
{
	size_t i;

	for (i = 0; i < in->conf->listeners; i++) {
		listener_remove(&in->conf->listener[i]);
		listener_close(&in->conf->listener[i]);
	}
}

void
instance_close(struct instance *in)
{
	size_t i;

	instance_stop_listening(in);
	for (i = 0; i < in->conf->builtins; i++)
		listener_close(&in->conf->builtin[i]);
	if (in->conf->ports_file != NULL && in->ports_temp[0] != '\0')
		(void)unlink(in->conf->ports_file);
	if (in->pidfile != NULL)
		(void)pidfile_remove(in->pidfile);
	in->pidfile = NULL;
}
