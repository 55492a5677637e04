/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * runtime_files.c: creates and removes the files and sockets by which others
 * find a running shuttled, and switches them between configurations. Sets
 * messages; the caller reports them.
 */
#include "master/runtime_files.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "config/conf_check.h"
#include "master/sd_sockets.h"
#include "master/socket_owner.h"

static int __attribute__((__format__(__printf__, 3, 4)))
fail(struct runtime_files *in, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(in->why, sizeof(in->why), fmt, ap);
	va_end(ap);
	return status;
}

/* A file could not be created: *what* is its directive. */
static int
fail_file(struct runtime_files *in, const char *what, const char *path)
{
	char why[256];

	return fail(in, EX_CANTCREAT, "%s %s: %s", what, path,
	    safe_file_reason(path, errno, why, sizeof(why)));
}

static int
lock_pidfile(struct runtime_files *in)
{
	const char *path = in->pidfile_name;
	pid_t other;

	if (*path == '\0' || pidfile_lock(&in->pidfile, path, &other) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return fail_file(in, "pidfile", path);
	if (other <= 0)
		return fail(in, EX_TEMPFAIL, "pidfile %s: another process has "
		    "locked it: end it, or choose another pidfile", path);
	return fail(in, EX_TEMPFAIL, "pidfile %s: another instance is "
	    "running, pid %d: end it, or choose another pidfile", path, (int)other);
}

/* Checked here, where the path has its name; only workers enter it. */
static int
check_chroot_now(struct runtime_files *in, const char *dir)
{
	const char *why;
	struct stat st;

	if (dir == NULL)
		return 0;
	if ((why = privileges_chroot_obstacle()) != NULL)
		return fail(in, EX_NOPERM, "chroot %s: %s", dir, why);
	if (stat(dir, &st) == -1)
		return fail(in, EX_UNAVAILABLE, "chroot %s: %s", dir,
		    strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return fail(in, EX_UNAVAILABLE, "chroot %s: this is not a "
		    "directory", dir);
	return 0;
}

static int
check_transparent(struct runtime_files *in, const struct conf *c)
{
	struct diagnostics cs = { .n = 0 };
	int status = conf_check_transparent(c, &cs);

	if (cs.n > 0)
		fail(in, status, "%s", cs.line[0]);
	diagnostics_free(&cs);
	return status;
}

/* Advice for a refused address. */
static const char *
bind_advice(const struct listener *l, int err)
{
	return err == EACCES && !addr_is_unix(&l->addr) &&
	    addr_port(&l->addr) < IPPORT_RESERVED ?
	    " (ports below 1024 are for root and CAP_NET_BIND_SERVICE)" : "";
}

/* The address is in use: names the process, and what to do. */
static int
fail_in_use(struct runtime_files *in, const struct listener *l)
{
	struct socket_owner owner;

	if (socket_owner_find(&l->addr, &owner) == 0)
		return fail(in, EX_UNAVAILABLE, "listen on %s: Address already "
		    "in use by %s, pid %d: end it, or choose another address",
		    l->name, owner.name, (int)owner.pid);
	return fail(in, EX_UNAVAILABLE, "listen on %s: Address already in use "
	    "by a process that cannot be seen by this user: end it, or choose "
	    "another address", l->name);
}

/* True if a listener that will be replaced has this address. */
static bool
is_own_runtime_file(const struct conf *before, const struct listener *l)
{
	char name[ADDR_TEXT];
	size_t i;

	if (before == NULL)
		return false;
	addr_format(&l->addr, name, sizeof(name));
	for (i = 0; i < before->listeners; i++)
		if (strcmp(before->listener[i].name, name) == 0)
			return true;
	return false;
}

static bool
has_fd(const struct listener *list, size_t n, int fd)
{
	while (n > 0)
		if (list[--n].fd == fd)
			return true;
	return false;
}

static bool
replaces_fd(const struct listener *list, size_t n, int fd)
{
	while (n > 0)
		if (list[--n].replaces == fd)
			return true;
	return false;
}

/*
 * The first of *list* that is open, has the same configured address, and is
 * none of the *taken* ones before: so of equal ones the n-th is the n-th.
 */
static const struct listener *
same_listener(const struct listener *list, size_t n, const struct listener *l,
    const struct listener *taken, size_t before)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (list[i].fd != -1 && strcmp(list[i].wanted, l->wanted) == 0 &&
		    !has_fd(taken, before, list[i].fd) &&
		    !replaces_fd(taken, before, list[i].fd))
			return &list[i];
	return NULL;
}

static void
share_socket(struct listener *l, const struct listener *from)
{
	l->fd = from->fd;
	l->bound = from->bound;
	l->claimed = from->claimed;
	l->path = from->path;
	l->addr = from->addr;
	strlcpy(l->name, from->name, sizeof(l->name));
}

/*
 * Replaces a socket that clients do not reach any more by a new one at the same
 * address, if possible. Otherwise it stays, because other reasons may have
 * ended.
 */
static void
replace(struct listener *l, const struct listener *from)
{
	const struct addr wanted = l->addr;
	bool any = !addr_is_unix(&wanted) && addr_port(&wanted) == 0;

	if (!addr_is_unix(&wanted) && !any &&
	    socket_listen_again(from->fd) == 0) {
		share_socket(l, from);
		return;
	}
	l->replaces = from->fd;
	l->addr = from->addr;
	if (listener_open(l) == 0)
		return;
	l->fault_errno = errno;
	l->addr = wanted;
	if (any && listener_open(l) == 0) {
		l->fault_errno = 0;
		return;
	}
	l->replaces = 0;
	share_socket(l, from);
}

/* Shares the socket of *from*, if there is one. */
static bool
take(struct listener *l, const struct listener *from)
{
	if (from == NULL)
		return false;
	l->fault = listener_fault(from);
	if (l->fault == NULL)
		share_socket(l, from);
	else
		replace(l, from);
	return true;
}

static bool
take_inherited(struct runtime_files *in, struct listener *l)
{
	struct listener from = *l;
	bool taken;

	if (!fd_inherit_socket(in->inherited, &from))
		return false;
	taken = take(l, &from);
	if (l->fd != from.fd)
		close(from.fd);
	return taken;
}

static int
open_listener(struct runtime_files *in, struct listener *l,
    const struct conf *before)
{
	int err;

	if (take_inherited(in, l) || listener_open(l) == 0)
		return 0;
	err = errno;
	if (err == EEXIST)
		return fail(in, EX_UNAVAILABLE, "listen on %s: this file is "
		    "not a socket: remove it, or choose another path",
		    l->name);
	if (err == ENODEV && l->how.interface != NULL)
		return fail(in, EX_UNAVAILABLE, "listen on %s: there is no "
		    "interface %s", l->name, l->how.interface);
	if (err == EADDRINUSE && is_own_runtime_file(before, l))
		return fail(in, EX_UNAVAILABLE, "listen on %s: v6only and "
		    "interface cannot change in a reload: it takes a restart",
		    l->name);
	if (err == EADDRINUSE)
		return fail_in_use(in, l);
	return fail(in, err == EACCES || err == EPERM ? EX_NOPERM :
	    EX_UNAVAILABLE, "listen on %s%s: %s", l->name, bind_advice(l, err),
	    strerror(err));
}

/* *before* is NULL at the start. */
static int
open_listeners(struct runtime_files *in, struct conf *c,
    const struct conf *before)
{
	const struct listener *from = NULL;
	struct listener *l;
	size_t i;
	int status;

	for (i = 0; i < c->listeners; i++) {
		l = &c->listener[i];
		if (before != NULL)
			from = same_listener(before->listener,
			    before->listeners, l, c->listener, i);
		if (!take(l, from) &&
		    (status = open_listener(in, l, before)) != 0)
			return status;
	}
	for (i = 0; i < c->builtins; i++) {
		l = &c->builtin[i];
		/* Another kind of builtin is another server. */
		snprintf(l->wanted, sizeof(l->wanted), "%d %.90s",
		    (int)l->builtin, c->server[l->server].name);
		if (before != NULL)
			from = same_listener(before->builtin,
			    before->builtins, l, c->builtin, i);
		if (!take(l, from) &&
		    (status = open_listener(in, l, before)) != 0)
			return status;
		c->server[l->server].addr = l->addr;
	}
	return 0;
}

static void
set_options(const struct conf *c)
{
	const struct listener *l;

	for (l = c->listener; l < c->listener + c->listeners; l++)
		listener_tune(l);
}

int
runtime_files_open(struct runtime_files *in, struct conf *c,
    struct inheritance *inherited)
{
	int status;

	memset(in, 0, sizeof(*in));
	in->conf = c;
	in->inherited = inherited;
	in->pidfile.fd = -1;
	if (c->pidfile != NULL && strlcpy(in->pidfile_name, c->pidfile,
	    sizeof(in->pidfile_name)) >= sizeof(in->pidfile_name))
		return fail(in, EX_CANTCREAT, "pidfile %s: too long",
		    c->pidfile);
	if ((status = check_chroot_now(in, c->chroot)) != 0 ||
	    (status = check_transparent(in, c)) != 0)
		return status;
	if (inherited->channel == -1 && (status = lock_pidfile(in)) != 0)
		return status;
	if ((status = open_listeners(in, c, NULL)) != 0)
		return status;
	/* What another master uses stays until it is handed over. */
	if (inherited->channel == -1)
		set_options(c);
	return 0;
}

int
runtime_files_prepare(struct runtime_files *in, struct conf *next)
{
	int status = check_chroot_now(in, next->chroot);

	if (status == 0)
		status = check_transparent(in, next);
	if (status == 0)
		status = open_listeners(in, next, in->conf);
	if (status != 0)
		runtime_files_release(next, in->conf);
	return status;
}

static void
release_listeners(struct listener *list, size_t n, const struct listener *stays,
    size_t others)
{
	struct listener *l;

	for (l = list; n > 0; l++, n--) {
		if (!has_fd(stays, others, l->fd)) {
			listener_remove(l);
			listener_close(l);
		}
		l->fd = -1;
		l->bound = false;
	}
}

void
runtime_files_release(struct conf *goes, const struct conf *stays)
{
	sd_sockets_drop(goes, stays);
	release_listeners(goes->listener, goes->listeners, stays->listener,
	    stays->listeners);
	release_listeners(goes->builtin, goes->builtins, stays->builtin,
	    stays->builtins);
}

/* 0, or -1 with errno. */
static int
write_addresses(const struct conf *c, int fd)
{
	size_t i;
	FILE *f;
	int bad, copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy == -1 || (f = fdopen(copy, "w")) == NULL)
		return -1;
	for (i = 0; i < c->listeners; i++)
		fprintf(f, "%s\n", c->listener[i].name);
	bad = fflush(f) == EOF || ferror(f);
	return fclose(f) == EOF || bad ? -1 : 0;
}

/* A reader sees the whole list or no file at all. */
static int
write_ports(struct runtime_files *in)
{
	const char *path = in->conf->ports_file;
	struct safe_draft d;
	int err;

	if (safe_file_begin(&d, path, 0666) == -1)
		return fail_file(in, "ports file", path);
	if (write_addresses(in->conf, d.fd) == -1) {
		err = errno;
		safe_file_discard(&d);
		errno = err;
		return fail_file(in, "ports file", path);
	}
	if (safe_file_publish(&d, path) == -1)
		return fail_file(in, "ports file", path);
	safe_file_remember_fd(&in->ports, d.fd);
	close(d.fd);
	return 0;
}

static int
announce_pid(struct runtime_files *in)
{
	int status;

	if (in->pidfile.fd == -1 && (status = lock_pidfile(in)) != 0)
		return status;
	if (in->pidfile.fd != -1 &&
	    pidfile_publish(&in->pidfile, in->pidfile_name) == -1)
		return fail_file(in, "pidfile", in->pidfile_name);
	return 0;
}

int
runtime_files_announce(struct runtime_files *in)
{
	int status = announce_pid(in);

	if (status != 0 || in->conf->ports_file == NULL)
		return status;
	return write_ports(in);
}

int
runtime_files_changed(struct runtime_files *in)
{
	const char *new = in->conf->ports_file, *old = in->before->ports_file;

	set_options(in->conf);
	if (old != NULL && (new == NULL || strcmp(new, old) != 0))
		safe_file_remove(&in->ports, old);
	sd_sockets_keep(in->conf);
	return in->conf->ports_file == NULL ? 0 : write_ports(in);
}

void
runtime_files_give_up(struct runtime_files *in)
{
	pidfile_release(&in->pidfile);
}

void
runtime_files_sweep(const struct runtime_files *in, pid_t pid)
{
	if (in->pidfile_name[0] != '\0')
		safe_file_sweep(in->pidfile_name, pid);
	if (in->conf->ports_file != NULL)
		safe_file_sweep(in->conf->ports_file, pid);
}

int
runtime_files_take_back(struct runtime_files *in)
{
	const char *ports = in->conf->ports_file;
	int status = announce_pid(in);

	/* The present file needs no disk space for a new one. */
	if (status != 0 || ports == NULL ||
	    safe_file_is_same(&in->ports, ports))
		return status;
	return write_ports(in);
}

void
runtime_files_hand_over(struct runtime_files *in)
{
	struct conf *c = in->conf;
	size_t i;

	for (i = 0; i < c->listeners; i++)
		c->listener[i].bound = false;
	memset(&in->ports, 0, sizeof(in->ports));
}

void
runtime_files_claim(struct runtime_files *in)
{
	struct conf *c = in->conf;
	size_t i;

	for (i = 0; i < c->listeners; i++)
		if (c->listener[i].claimed)
			c->listener[i].bound = true;
	if (in->inherited->channel != -1) {
		set_options(c);
		fd_inherit_remove(in->inherited);
	}
	sd_sockets_keep(c);
}

static void
close_others(const struct listener *list, size_t n,
    const struct listener *ours, size_t have)
{
	while (n-- > 0)
		if (list[n].fd != -1 && !has_fd(ours, have, list[n].fd))
			close(list[n].fd);
}

void
runtime_files_leave(struct runtime_files *in)
{
	/* A worker that outlives its master must not keep the lock. */
	pidfile_release(&in->pidfile);
	/* Nor may it keep a port in use that is about to be given up. */
	if (in->before != NULL) {
		close_others(in->before->listener, in->before->listeners,
		    in->conf->listener, in->conf->listeners);
		close_others(in->before->builtin, in->before->builtins,
		    in->conf->builtin, in->conf->builtins);
	}
}

void
runtime_files_close_copies(struct runtime_files *in)
{
	size_t i;

	for (i = 0; i < in->conf->listeners; i++)
		listener_close(&in->conf->listener[i]);
	for (i = 0; i < in->conf->builtins; i++)
		listener_close(&in->conf->builtin[i]);
}

void
runtime_files_stop_listening(struct runtime_files *in)
{
	size_t i;

	sd_sockets_drop(in->conf, NULL);
	for (i = 0; i < in->conf->listeners; i++) {
		listener_remove(&in->conf->listener[i]);
		listener_close(&in->conf->listener[i]);
	}
}

void
runtime_files_close(struct runtime_files *in)
{
	size_t i;

	runtime_files_stop_listening(in);
	for (i = 0; i < in->conf->builtins; i++)
		listener_close(&in->conf->builtin[i]);
	if (in->conf->ports_file != NULL)
		safe_file_remove(&in->ports, in->conf->ports_file);
	pidfile_withdraw(&in->pidfile, in->pidfile_name);
}
