/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_check.c: asks the system what it would allow.
 */
#include "conf_check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "budget.h"
#include "settings.h"

static int
may_write(const char *path)
{
	return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS);
}

/* Could this file be made in its directory? -1 with errno. */
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

/*
 * A file that a directive of the top names; one that is there is enough if it
 * is not *replaced*.
 */
static int
check_file(const struct conf *c, const char *name, const char *path,
    bool replaced, struct complaints *cs)
{
	const struct settings *st = c->settings;
	const struct directive *d = directive_find(SECTION_TOP, name);
	const struct value *v;

	if (path == NULL || (!replaced && may_write(path) == 0) ||
	    ((replaced || errno == ENOENT) && may_make(path) == 0))
		return 0;
	if ((v = section_get(st->section[SETTINGS_OPTIONS], d)) == NULL)
		v = section_get(st->section[SETTINGS_FILES], d);
	value_reject(cs, v, path, strerror(errno));
	return EX_CANTCREAT;
}

/* The path of a socket is removed and made anew. */
static int
check_listener(const struct listener *l, struct complaints *cs)
{
	if (!addr_is_unix(&l->addr) || may_make(l->addr.un.sun_path) == 0)
		return 0;
	complain(cs, "listen on %s: %s", l->name, strerror(errno));
	return EX_CANTCREAT;
}

int
conf_check(const struct conf *c, size_t descriptors, struct complaints *cs)
{
	struct budget b;
	size_t i;
	int status;

	status = check_file(c, "log", c->log[0] == '/' ? c->log : NULL, false,
	    cs);
	status |= check_file(c, "pidfile", c->pidfile, false, cs);
	status |= check_file(c, "ports_file", c->ports_file, true, cs);
	for (i = 0; i < c->listeners; i++)
		status |= check_listener(&c->listener[i], cs);
	budget_make(&b, c, descriptors);
	if (b.sessions > 0)
		return status;
	complain(cs, "%zu descriptors are too few: raise the limit (ulimit "
	    "-n) to %zu or more", descriptors, b.set_aside + b.each);
	return EX_OSERR;
}
