/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * sd_sockets.c: sockets that the service manager gives us, found by address, and
 * those that it keeps, found by a name that holds the words in which they were
 * asked for: then one on port 0 is found again, too.
 */
#include "master/sd_sockets.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "master/sd.h"
#include "net/socket.h"

/* A name as ours begins so; it may hold no colon. */
#define KEPT	"listen "
#define COLON	'='

/*
 * How long the manager may take to close a copy, in us. The one wait of the master:
 * were ours closed before, and the workers told to close theirs, connections would
 * come to a queue that nobody empties. It takes microseconds, unless the manager
 * is stuck.
 */
#define DROP_TIME	200000

static void
swap_bytes(char *text, char from, char to)
{
	for (; *text != '\0'; text++)
		if (*text == from)
			*text = to;
}

/* False: its path has bytes that a name cannot hold. */
static bool
fd_name_of(const struct listener *l, char *name, size_t size)
{
	const char *c;

	snprintf(name, size, KEPT "%s", l->wanted);
	for (c = name; *c != '\0'; c++)
		if (*c < ' ' || *c > '~' || *c == COLON)
			return false;
	swap_bytes(name, ':', COLON);
	return true;
}

static int
take_passed_fd(struct inheritance *in, int fd, const char *name)
{
	bool ours = strncmp(name, KEPT, strlen(KEPT)) == 0;
	char wanted[ADDR_TEXT] = "";

	if (ours) {
		strlcpy(wanted, name + strlen(KEPT), sizeof(wanted));
		swap_bytes(wanted, COLON, ':');
	}
	if (socket_adopt(fd) == -1) {
		/* There is no log yet. */
		warnx("descriptor %d of the service manager (%s) is closed: "
		    "it is no listening stream socket", fd, name);
		close(fd);
		return 0;
	}
	return fd_inherit_add(in, fd, ours, wanted, name);
}

int
sd_sockets_take(struct inheritance *in)
{
	char **names = NULL;
	int i, n, result = 0;

	if ((n = sd_listen_fds_with_names(1, &names)) < 0) {
		errno = -n;
		return -1;
	}
	for (i = 0; i < n; i++) {
		if (result == 0)
			result = take_passed_fd(in, SD_LISTEN_FDS_START + i,
			    names[i]);
		free(names[i]);
	}
	free(names);
	return result;
}

/* NULL: it is of use. */
static const char *
why_not(const struct inherited_socket *s, const struct conf *c)
{
	size_t i;

	if (addr_is_path(&s->addr) && access(s->addr.un.sun_path, F_OK) == -1)
		return "its path leads nobody there any more";
	for (i = 0; i < c->listeners; i++)
		if (fd_inherit_matches(s, &c->listener[i]))
			return NULL;
	return "no listener has this address";
}

void
sd_sockets_check(struct inheritance *in, const struct conf *c, struct log *log)
{
	struct inherited_socket *s;
	char text[ADDR_TEXT];
	const char *why;
	size_t i;

	for (i = 0; i < in->sockets; i++) {
		s = &in->socket[i];
		if (s->name[0] == '\0' || (why = why_not(s, c)) == NULL)
			continue;
		log_line(log, LOG_WARNING, "socket %s of the service manager "
		    "(%s) is closed: %s",
		    addr_format(&s->addr, text, sizeof(text)), s->name, why);
		if (s->ours)
			(void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s",
			    s->name);
		close(s->fd);
		s->fd = -1;
	}
}

void
sd_sockets_keep(const struct conf *c)
{
	const struct listener *l;
	char name[sizeof(KEPT) + ADDR_TEXT], state[sizeof(name) + 32];
	size_t i;

	for (i = 0; i < c->listeners; i++) {
		l = &c->listener[i];
		if (!l->bound || !fd_name_of(l, name, sizeof(name)))
			continue;
		/* What it has already it does not take twice. */
		snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=%s", name);
		(void)sd_pid_notify_with_fds(0, 0, state, &l->fd, 1);
	}
}

static bool
has_too(const struct conf *c, const struct listener *l)
{
	size_t i;

	for (i = 0; c != NULL && i < c->listeners; i++)
		if (c->listener[i].fd == l->fd)
			return true;
	return false;
}

void
sd_sockets_drop(const struct conf *goes, const struct conf *stays)
{
	const struct listener *l;
	char name[sizeof(KEPT) + ADDR_TEXT];
	bool any = false;
	size_t i;

	for (i = 0; i < goes->listeners; i++) {
		l = &goes->listener[i];
		if (!l->bound || has_too(stays, l) ||
		    !fd_name_of(l, name, sizeof(name)))
			continue;
		(void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
		any = true;
	}
	if (any)
		(void)sd_notify_barrier(0, DROP_TIME);
}
