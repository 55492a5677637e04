/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * fuzz_session.c: a worker's loop with clients and servers that do anything at
 * any time, over real sockets and a clock of its own. Each byte is one event:
 * four bits say what happens, four to which of them. Whatever that is, at the
 * end no session, block or descriptor is left, and all bytes are accounted for.
 */
#include <stdlib.h>

#include "session/session.h"

#include "net/cidr.h"
#include "session_rig.h"

#define CLIENTS		16
#define SERVERS		16
#define SESSIONS	8
#define BLOCKS		6
#define BLOCK		4096
#define EVENTS_MOST	400

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct rig rig;
static int	client[CLIENTS], server[SERVERS];	/* -1: none */
static struct cidr *everybody;

static void
make_everybody(void)
{
	char why[CIDR_WHY];

	if ((everybody = cidr_new()) == NULL ||
	    cidr_add(everybody, "all", CIDR_ALLOW, why) == -1 ||
	    cidr_build(everybody) == -1)
		abort();
}

/* What the first two bytes of an input decide. */
static void
configure(uint8_t a, uint8_t b)
{
	struct session_limits *l = &rig.route.limits;

	rig.pool.attempts = 1 + (a & 3);
	rig.pool.max_queue = a & 4 ? 2 : 0;
	rig.list[0].max_sessions = a & 8 ? 1 : 0;
	rig.list[1].max_sessions = a & 8 ? 1 : 0;
	rig.list[0].preconnect = a & 16 ? 2 : 0;
	rig.list[0].send_proxy = rig.pool.sends_proxy = a & 32 ? 2 : 0;
	rig.route.reject_with = (b & 3) % 3;
	l->idle_timeout = b & 4 ? 3000 : 0;
	l->max_lifetime = b & 8 ? 20000 : 0;
	l->rate[UP] = b & 16 ? 5000 : 0;
	l->rate[DOWN] = b & 32 ? 3000 : 0;
	rig.route.counts.max_sessions = b & 64 ? 3 : 0;
	rig.route.proxies = b & 128 ? everybody : NULL;
}

static void
come(int i)
{
	if (client[i] == -1 && !table_full(&rig.env.table))
		client[i] = i < CLIENTS / 2 ? rig_client(&rig) :
		    rig_unix_client(&rig);
}

/* Takes what waits for server *i* modulo two, if anything does. */
static void
serve(int i)
{
	if (server[i] != -1 || rig.listener[i & 1] == -1)
		return;
	server[i] = accept4(rig.listener[i & 1], NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static void
say(int fd, size_t len, int flags)
{
	static const char text[16384];

	if (fd != -1)
		(void)send(fd, text, len, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* A header of the PROXY protocol, in two pieces or in one. */
static void
introduce(int fd, bool whole)
{
	static const char text[] =
	    "PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n";

	if (fd != -1)
		(void)send(fd, text, whole ? sizeof(text) - 1 : 9,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
hear(int fd)
{
	char buf[16384];

	if (fd != -1)
		(void)recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
}

static void
shut(int fd)
{
	if (fd != -1)
		(void)shutdown(fd, SHUT_WR);
}

static void
reset(int *fd)
{
	struct linger now = { .l_onoff = 1 };

	if (*fd != -1)
		(void)setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now,
		    sizeof(now));
	rig_hang_up(fd);
}

static void
disturb(int i)
{
	static const int errors[] = { ECONNRESET, ETIMEDOUT, EPIPE, EAGAIN };

	rig_faults.connects = i & 1;
	rig_faults.connect_error = i & 2 ? ECONNREFUSED : ETIMEDOUT;
	rig_faults.sockets = i >> 2 & 1;
	rig_faults.socket_error = EMFILE;
	rig_faults.send_most = i & 8 ? 7 : 0;
	rig_faults.recv_fd = rig_faults.send_fd = -1;
	if (rig_any_session(&rig) != NULL) {
		rig_faults.recv_fd = rig_session(&rig)->fd[i & 1];
		rig_faults.recv_error = errors[i >> 2];
	}
}

static void
end_all(int i)
{
	if (i < 4)
		sessions_shut(&rig.env, END_DRAIN);
	else if (i < 8)
		sessions_kill(&rig.env, END_STOP, i & 1);
	else
		introduce(client[i], false);
}

static void
happen(uint8_t byte)
{
	int i = byte >> 4;

	switch (byte & 15) {
	case 0: come(i); break;
	case 1: serve(i); break;
	case 2: say(client[i], 1 + (size_t)i * 999, 0); break;
	case 3: say(server[i], 1 + (size_t)i * 999, 0); break;
	case 4: hear(client[i]); break;
	case 5: hear(server[i]); break;
	case 6: shut(client[i]); break;
	case 7: shut(server[i]); break;
	case 8: rig_hang_up(&client[i]); break;
	case 9: rig_hang_up(&server[i]); break;
	case 10: reset(i & 1 ? &client[i] : &server[i]); break;
	case 11: rig_pass(&rig, (uint64_t)1 << i); break;
	case 12: say(i & 1 ? client[i] : server[i], 1, MSG_OOB); break;
	case 13: disturb(i); break;
	case 14: introduce(client[i], true); break;
	case 15: end_all(i); break;
	}
}

/* In every session and way: what came in went out, or is held. */
static void
check_sound(void)
{
	const struct session *s;
	uint32_t i;
	int way;

	for (i = 0; i < rig.env.table.used; i++) {
		s = &rig.env.table.session[i];
		for (way = UP; s->state != SESSION_FREE && way <= DOWN; way++)
			if (s->way[way].in != s->way[way].out +
			    shuttle_held(&s->way[way]))
				abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n;
	int i;

	if (size < 3 || size > EVENTS_MOST)
		return -1;
	if (everybody == NULL)
		make_everybody();
	for (i = 0; i < CLIENTS; i++)
		client[i] = server[i] = -1;
	rig_start(&rig, SESSIONS, BLOCKS, BLOCK);
	rig_add_server(&rig);
	rig_add_server(&rig);
	configure(data[0], data[1]);
	rig_ready(&rig);
	for (n = 2; n < size; n++) {
		happen(data[n]);
		rig_turn(&rig, 0);
		check_sound();
	}
	for (i = 0; i < CLIENTS; i++) {
		rig_hang_up(&client[i]);
		rig_hang_up(&server[i]);
	}
	memset(&rig_faults, 0, sizeof(rig_faults));
	if (rig_stop(&rig) == -1)
		abort();
	return 0;
}
