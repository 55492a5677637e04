/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * sd_sockets.c: sockets given by the service manager are found by address;
 * those that it keeps are found by a name that contains the configured address,
 * so that one with port 0 is found again, too.
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

/* Prefix of names of kept sockets; a name may not contain a colon. */
#define KEPT	"listen "
#define COLON	'='

/*
 * Time for the manager to close a copy, in us. The only wait of the master: if
 * it and the workers closed their copies before, connections would enter a
 * queue that no process empties. It takes microseconds, unless the manager is
 * stuck.
 */
#define DROP_TIME	200000

static void
swap_bytes(char *text, char from, char to)
{
	for (; *text != '\0'; text++)
		if (*text == from)
			*text = to;
}

/* False: its path has bytes that a name cannot contain. */
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
		    "it is not a listening stream socket", fd, name);
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

/* NULL: the socket is usable. */
static const char *
why_not(const struct inherited_socket *s, const struct conf *c)
{
	size_t i;

	if (addr_is_path(&s->addr) && access(s->addr.un.sun_path, F_OK) == -1)
		return "its path no longer leads to it";
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
		/* The manager does not store a descriptor twice. */
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
