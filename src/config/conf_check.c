/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* conf_check.c: checks what the system would permit. */
#include "config/conf_check.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "board/board.h"
#include "config/budget.h"
#include "config/settings.h"
#include "sys/safe_file.h"

static int
may_write(const char *path)
{
	return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS);
}

/* Checks whether this file could be created in its directory. -1 with errno. */
static int
may_make(const char *path)
{
	char directory[1024];
	char *slash;

	if (strlcpy(directory, path, sizeof(directory)) >= sizeof(directory)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((slash = strrchr(directory, '/')) == NULL)
		return may_write(".");
	slash[slash == directory] = '\0';
	return may_write(directory);
}

/* An existing file is enough unless it will be *replaced*. */
static int
check_access(const char *path, bool replaced)
{
	return (!replaced && may_write(path) == 0) ||
	    ((replaced || errno == ENOENT) && may_make(path) == 0) ? 0 : -1;
}

/* The directory of *path* if it is missing, else NULL. */
static const char *
missing_directory(const char *path, char *buf, size_t size)
{
	char *slash;

	if (strlcpy(buf, path, size) >= size ||
	    (slash = strrchr(buf, '/')) == NULL || slash == buf)
		return NULL;
	*slash = '\0';
	return access(buf, F_OK) == -1 && errno == ENOENT ? buf : NULL;
}

/* A path without a directive: the text must say what it is for. */
static void
reject_default(struct diagnostics *cs, const char *name, const char *path,
    const char *why)
{
	char buf[1024];
	const char *dir = missing_directory(path, buf, sizeof(buf));

	if (dir != NULL)
		diagnostics_add(cs, "%s %s (default): the directory %s does "
		    "not exist: create it, or set %s", name, path, dir, name);
	else
		diagnostics_add(cs, "%s %s (default): %s", name, path, why);
}

/* A file that a top-level directive names, with the *check* of its kind. */
static int
check_file(const struct conf *c, const char *name, const char *path,
    int (*check)(const char *), struct diagnostics *cs)
{
	const struct settings *st = c->settings;
	const struct directive *d = directive_find(SECTION_TOP, name);
	const struct value *v;
	const char *why;
	char buf[256];

	if (path == NULL || (check(path) == 0 &&
	    check_access(path, strcmp(name, "ports_file") == 0) == 0))
		return 0;
	why = safe_file_reason(path, errno, buf, sizeof(buf));
	if ((v = section_get(st->section[SETTINGS_OPTIONS], d)) == NULL)
		v = section_get(st->section[SETTINGS_FILES], d);
	if (v != NULL)
		value_reject(cs, v, path, why);
	else
		reject_default(cs, name, path, why);
	return EX_CANTCREAT;
}

/* An existing socket will be replaced. */
static int
check_path(const struct listener *l, struct diagnostics *cs)
{
	const char *path = l->addr.un.sun_path;
	struct stat sb;

	if (lstat(path, &sb) == 0 && !S_ISSOCK(sb.st_mode)) {
		diagnostics_add(cs, "listen on %s: this file is not a socket: "
		    "remove it, or choose another path", l->name);
		return EX_UNAVAILABLE;
	}
	if (may_make(path) == 0)
		return 0;
	diagnostics_add(cs, "listen on %s: %s", l->name, strerror(errno));
	return EX_CANTCREAT;
}

/* From this port on any user may bind. */
static unsigned
first_free_port(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	unsigned port;

	if (f == NULL)
		return IPPORT_RESERVED;
	if (fscanf(f, "%u", &port) != 1)
		port = IPPORT_RESERVED;
	fclose(f);
	return port;
}

static int
check_listener_port(const struct listener *l, struct diagnostics *cs)
{
	unsigned port = addr_port(&l->addr), first;

	if (addr_is_unix(&l->addr))
		return addr_is_path(&l->addr) ? check_path(l, cs) : 0;
	if (port == 0 || privileges_has_low_ports() ||
	    port >= (first = first_free_port()))
		return 0;
	diagnostics_add(cs, "listen on %s: ports below %u are for root and "
	    "CAP_NET_BIND_SERVICE", l->name, first);
	return EX_NOPERM;
}

/* Only workers enter it, but the starting process checks it. */
static int
check_chroot_setting(const struct conf *c, struct diagnostics *cs)
{
	const char *why;
	struct stat sb;

	if (c->chroot == NULL)
		return 0;
	if ((why = privileges_chroot_obstacle()) != NULL) {
		diagnostics_add(cs, "chroot %s: %s", c->chroot, why);
		return EX_NOPERM;
	}
	if (stat(c->chroot, &sb) == -1)
		diagnostics_add(cs, "chroot %s: %s", c->chroot,
		    strerror(errno));
	else if (!S_ISDIR(sb.st_mode))
		diagnostics_add(cs, "chroot %s: this is not a directory",
		    c->chroot);
	else
		return 0;
	return EX_UNAVAILABLE;
}

/* The command is executed in the root directory of the workers. */
static int
check_program(const struct conf *c, const struct pool *p,
    struct diagnostics *cs)
{
	char path[2048], why[2200];
	const struct value *v;

	if (p->check.kind != CHECK_EXEC)
		return 0;
	snprintf(path, sizeof(path), "%s%.*s", c->chroot == NULL ? "" :
	    c->chroot, (int)strcspn(p->check.command, " \t"),
	    p->check.command);
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
		return 0;
	v = section_get(settings_find(c->settings, SECTION_POOL, p->name),
	    directive_find(SECTION_POOL, "check_command"));
	snprintf(why, sizeof(why), "%s: %s", path, strerror(errno));
	value_reject(cs, v, p->check.command, why);
	return EX_UNAVAILABLE;
}

/* The first value that requires it. */
static const struct value *
transparent_at(const struct conf *c)
{
	const struct section *s = NULL;
	const struct value *v;
	size_t i;

	for (i = 0; i < c->listeners && s == NULL; i++)
		if (c->listener[i].how.transparent)
			s = settings_find(c->settings, SECTION_LISTEN,
			    c->listener[i].label);
	for (i = 0; i < c->servers && s == NULL; i++)
		if (c->server[i].egress.transparent &&
		    !addr_is_unix(&c->server[i].addr))
			s = settings_server(c->settings, i);
	v = section_get(s, directive_find(s->kind, "transparent"));
	return v != NULL ? v : section_get(s->pool,
	    directive_find(SECTION_POOL, "transparent"));
}

int
conf_check_transparent(const struct conf *c, struct diagnostics *cs)
{
	if (!conf_wants_transparent(c) || privileges_has_foreign_addresses())
		return 0;
	diagnostics_add_at(cs, &transparent_at(c)->place, "transparent needs "
	    "CAP_NET_RAW: start it as root, or give it that (systemd: "
	    "AmbientCapabilities=CAP_NET_RAW)");
	return EX_NOPERM;
}

/* A memory file counts against the limit of file sizes. */
static int
check_board(const struct conf *c, struct diagnostics *cs)
{
	uint64_t bytes = board_bytes(budget_rows(c));
	struct rlimit r;

	if (getrlimit(RLIMIT_FSIZE, &r) == -1 || r.rlim_cur >= bytes)
		return 0;
	diagnostics_add(cs, "%llu MiB of shared memory are more than the limit "
	    "of file sizes: raise it (ulimit -f, LimitFSIZE=)",
	    (unsigned long long)bytes >> 20);
	return EX_OSERR;
}

/* The first error decides the exit status. */
static void
keep_first_status(int *status, int other)
{
	if (*status == 0)
		*status = other;
}

/* The same checks as for the main log. */
static int
check_own_log(const struct own_log *l, struct diagnostics *cs)
{
	char why[256];

	if (l->target[0] != '/' || (safe_file_check_log(l->target) == 0 &&
	    check_access(l->target, false) == 0))
		return 0;
	value_reject(cs, l->said, l->target,
	    safe_file_reason(l->target, errno, why, sizeof(why)));
	return EX_CANTCREAT;
}

int
conf_check(const struct conf *c, size_t descriptors, struct diagnostics *cs)
{
	struct budget b;
	size_t i;
	int status;

	status = check_file(c, "log", c->log[0] == '/' ? c->log : NULL,
	    safe_file_check_log, cs);
	for (i = 0; i < c->own_logs; i++)
		keep_first_status(&status, check_own_log(&c->own_log[i], cs));
	keep_first_status(&status, check_file(c, "pidfile", c->pidfile,
	    safe_file_check, cs));
	keep_first_status(&status, check_file(c, "ports_file", c->ports_file,
	    safe_file_check, cs));
	keep_first_status(&status, check_chroot_setting(c, cs));
	keep_first_status(&status, conf_check_transparent(c, cs));
	for (i = 0; i < c->listeners; i++)
		keep_first_status(&status,
		    check_listener_port(&c->listener[i], cs));
	for (i = 0; i < c->pools; i++)
		keep_first_status(&status, check_program(c, &c->pool[i], cs));
	keep_first_status(&status, check_board(c, cs));
	budget_make(&b, c, descriptors);
	if (b.sessions > 0)
		return status;
	diagnostics_add(cs, "%zu descriptors are too few: raise the limit "
	    "(ulimit -n) to %zu or more", descriptors, b.set_aside + b.each);
	return EX_OSERR;
}
