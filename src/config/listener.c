/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* listener.c: opens and closes listening sockets. Never accepts: workers do. */
#include "config/listener.h"

#include <string.h>
#include <unistd.h>

#include "net/socket.h"
#include "net/socket_option.h"

int
listener_open(struct listener *l)
{
	if ((l->fd = socket_listen_as(&l->addr, &l->how)) == -1)
		return -1;
	l->bound = true;
	if (addr_is_path(&l->addr))
		safe_file_remember(&l->path, l->addr.un.sun_path);
	addr_format(&l->addr, l->name, sizeof(l->name));
	return 0;
}

/* The same file; owner and times may have changed. */
static bool
has_path(const struct listener *l)
{
	struct file_id now;

	safe_file_remember(&now, l->addr.un.sun_path);
	return now.ino != 0 && now.ino == l->path.ino &&
	    now.dev == l->path.dev;
}

const char *
listener_fault(const struct listener *l)
{
	if (!socket_listens(l->fd))
		return "it had been shut down";
	if ((l->bound || l->claimed) && addr_is_path(&l->addr) && !has_path(l))
		return "its path had gone";
	return NULL;
}

void
listener_log(const struct listener *l, struct log *log)
{
	if (l->fault == NULL)
		log_line(log, LOG_NOTICE, "listening on %s", l->name);
	else if (l->fault_errno == 0)
		log_line(log, LOG_WARNING, "listening on %s again: %s",
		    l->name, l->fault);
	else
		log_line(log, LOG_ERR, "no client gets to %s: %s, and it cannot "
		    "be opened again: %s", l->name, l->fault,
		    strerror(l->fault_errno));
}

void
listener_tune(const struct listener *l)
{
	socket_set_fast_open(l->fd, l->fast_open);
	socket_defer_accept(l->fd, l->defer_accept);
	/* A process that hands a socket over has set it, too. */
	if (l->backlog != 0 || l->bound)
		socket_set_backlog(l->fd, l->backlog);
	if (addr_is_unix(&l->addr))
		return;
	socket_watch_peer(l->fd, &l->watch);
	socket_set_dscp(l->fd, l->addr.sa.sa_family, l->dscp);
	/* A socket that was handed over may have been opened without it. */
	(void)socket_set_transparent(l->fd, l->addr.sa.sa_family,
	    l->how.transparent);
}

void
listener_close(struct listener *l)
{
	if (l->fd != -1)
		close(l->fd);
	l->fd = -1;
}

void
listener_remove(struct listener *l)
{
	if (l->bound && addr_is_path(&l->addr))
		safe_file_remove(&l->path, l->addr.un.sun_path);
	l->bound = false;
}
