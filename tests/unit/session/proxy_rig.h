/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * header_rig.h: what the tests of headers share: a client whose peer may send
 * them, and a server that may be sent some.
 */
#ifndef HEADER_RIG_H
#define HEADER_RIG_H

#include "net/cidr.h"
#include "helpers.h"
#include "proxyproto_rig.h"
#include "session_rig.h"

#define SESSIONS	20

static struct rig rig;
static struct cidr *proxies;
static int	client, server;

int
set_up(void)
{
	char text[CIDR_WHY];

	client = server = -1;
	rig_start(&rig, SESSIONS, 4, 65536);
	rig.route.eager = ROUTE_EAGER;
	assert_non_null(proxies = cidr_new());
	assert_int_equal(cidr_add(proxies, "127.0.0.1", CIDR_ALLOW, text), 0);
	assert_int_equal(cidr_add(proxies, "unix:", CIDR_ALLOW, text), 0);
	assert_int_equal(cidr_build(proxies), 0);
	rig.route.proxies = proxies;
	return 0;
}

int
tear_down(void)
{
	decode(NULL, 0);
	if (client != -1)
		close(client);
	if (server != -1)
		close(server);
	cidr_free(proxies);
	return rig_stop(&rig);
}

static inline void
begin(void)
{
	rig_add_server(&rig);
	rig_ready(&rig);
}

/* The same with a server that is sent headers of this version. */
static inline void
begin_sending(unsigned version, unsigned tlvs)
{
	rig_add_server(&rig);
	rig.list[0].send_proxy = rig.pool.sends_proxy = version;
	rig.pool.tlvs = tlvs;
	rig_ready(&rig);
}

static inline void
put(const void *bytes, size_t n)
{
	assert_int_equal(MUST(write(client, bytes, n)), n);
}

/* Who came last has taken these, as far as it wants them. */
static inline void
put_and_turn(const void *bytes, size_t n)
{
	const struct session *s = &rig.env.table.session[rig.env.table.used - 1];

	while (s->state == SESSION_FREE)
		s--;
	put(bytes, n);
	assert_true(comes(s->fd[CLIENT], POLLIN, PATIENCE));
	rig_turn(&rig, 0);
}

static inline void
over(void)
{
	close(client);
	close(server);
	client = server = -1;
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_int_equal(bufpool_left(rig.env.notes), SESSIONS);
}

#endif
