/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * listener.c: opens and closes listening sockets. Never accepts: workers do.
 */
#include "listener.h"

#include <unistd.h>

#include "sys.h"

int
listener_open(struct listener *l)
{
	if ((l->fd = sys_listen(&l->addr)) == -1)
		return -1;
	l->bound = true;
	addr_format(&l->addr, l->name, sizeof(l->name));
	return 0;
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
	if (l->bound && addr_is_unix(&l->addr))
		(void)unlink(l->addr.un.sun_path);
	l->bound = false;
}
