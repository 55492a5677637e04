/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * preconnect_rig.h: what the tests of preconnected connections share: a server,
 * a, with preconnected connections, both their ends, and whoever else knocks
 * there.
 */
#ifndef PRECONNECT_RIG_H
#define PRECONNECT_RIG_H

#include "upstream/preconnect.h"

#include "helpers.h"
#include "session_rig.h"

static struct rig rig;
static int	client;

int
set_up(void)
{
	client = -1;
	rig_start(&rig, 20, 4, 65536);
	poller_free(rig.env.poller);
	rig.env.poller = poller_new(poller_engine(engine), RIG_DESCRIPTORS);
	return rig.env.poller == NULL ? -1 : 0;
}

int
tear_down(void)
{
	if (client != -1)
		close(client);
	return rig_stop(&rig);
}

/*
 * One server, a, with so many preconnected connections, which are not open yet.
 */
static inline void
begin(uint32_t preconnects)
{
	rig_add_server(&rig);
	rig.list[0].preconnect = preconnects;
	rig_ready(&rig);
}

/* The same; the server's end of its only spare. */
static inline int
begin_with_one(void)
{
	int server;

	begin(1);
	server = rig_server(&rig, 0);
	rig_idle(&rig);
	return server;
}

/* Our end of a connection to a, -1: there is none. The first if *nth* is 0. */
static inline int
our_end(int nth)
{
	const struct sockaddr_in *a = &rig.list[0].addr.in;
	struct sockaddr_in peer;
	socklen_t len;
	int fd;

	for (fd = 0; fd < RIG_DESCRIPTORS; fd++) {
		len = sizeof(peer);
		if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
		    peer.sin_family == AF_INET &&
		    peer.sin_port == a->sin_port && nth-- == 0)
			return fd;
	}
	return -1;
}

/* The server says something on the only spare, which nobody wants yet. */
static inline void
speaks(int server, const char *text)
{
	write_text(server, text);
	assert_true(comes(our_end(0), POLLIN, PATIENCE));
	rig_idle(&rig);
}

/* The end of what is behind *fd* has come. */
static inline void
hangs_up(int fd)
{
	uint64_t give_up = clock_ms() + PATIENCE;

	while (!poller_hung_up(fd))
		assert_true(clock_ms() < give_up);
}

/* Has somebody connected to a? */
static inline bool
knocks(void)
{
	return comes(rig.listener[0], POLLIN, 0);
}

/* For so long, in ms, nobody connects to a. */
static inline void
nobody_comes(uint64_t ms)
{
	rig_pass(&rig, ms);
	rig_idle(&rig);
	assert_false(knocks());
}

static inline int
count(const char *what)
{
	const char *text = rig_log(&rig);
	int n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text += strlen(what);
		n++;
	}
	return n;
}

#endif
