/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_session_stall.c: urgent bytes arrive where they stand among the others, both
 * ways, copied and spliced; and a descriptor that is ready for ever although
 * nothing comes of it is left alone, and then its session is reset.
 */
#include "session/session.h"

#include "helpers.h"
#include "session_rig.h"
#include "net/socket.h"

#define BLOCK	65536
#define LENGTH	(3u << 20)

static struct rig rig;
static struct addr at;			/* of the listener */
static char	dir[64];
static int	listener, client, server;

int
set_up(void)
{
	listener = client = server = -1;
	dir[0] = '\0';
	rig_start(&rig, 20, 4, BLOCK);
	poller_free(rig.env.poller);
	rig.env.poller = poller_new(poller_engine(engine), RIG_DESCRIPTORS);
	rig_add_server(&rig);
	rig_ready(&rig);
	return rig.env.poller == NULL ? -1 : 0;
}

int
tear_down(void)
{
	rig_hang_up(&listener);
	rig_hang_up(&client);
	rig_hang_up(&server);
	if (dir[0] != '\0')
		remove_dir(dir);
	return rig_stop(&rig);
}

static void
address(const char *text)
{
	const char *why;

	assert_int_equal(addr_parse(text, ADDR_LISTEN, &at, 1, &why), 1);
	listener = (int)MUST(socket_listen(&at));
}

/* A client that comes by a listener as a worker has it. */
static void
client_comes(void)
{
	struct endpoint from;
	int fd;

	rig_turn(&rig, 0);
	client = (int)MUST(socket(at.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC,
	    0));
	MUST(connect(client, &at.sa, at.len));
	set_nonblocking(client);
	if (at.sa.sa_family != AF_UNIX)
		watch_peer(client);
	assert_true(comes(listener, POLLIN, PATIENCE));
	fd = (int)MUST(socket_accept(listener, &from));
	session_open(&rig.env, fd, &from, 0);
	server = rig_server(&rig, 0);
}

/* Each byte of the stream in whose place there is one of these is urgent. */
static bool
is_urgent(uint64_t place)
{
	return place == 0 || place == 1000 || place == LENGTH / 2 ||
	    place == LENGTH / 2 + 5 || place == LENGTH - 1;
}

static void
put_some(int fd, uint64_t *put)
{
	unsigned char buf[BLOCK];
	size_t n = 0;
	ssize_t sent;

	while (n < sizeof(buf) && *put + n < LENGTH && !is_urgent(*put + n))
		n++;
	pattern_fill(1, *put, buf, sizeof(buf));
	sent = send(fd, buf, n > 0 ? n : 1, MSG_NOSIGNAL | (n > 0 ? 0 :
	    MSG_OOB));
	if (sent == -1)
		assert_int_equal(errno, EAGAIN);
	*put += sent > 0 ? (uint64_t)sent : 0;
}

/* All bytes from the one to the other; those that are urgent in their place. */
static void
carry_urgent(int from, int to)
{
	static unsigned char buf[1 << 20];
	uint64_t put = 0, got = 0, give_up = clock_ms() + PATIENCE;
	ssize_t n;

	while (got < LENGTH) {
		if (clock_ms() > give_up)
			fail_msg("%llu of %llu bytes came through",
			    (unsigned long long)got, (unsigned long long)put);
		/* Two that are not read yet would be one: see tcp(7). */
		if (put < LENGTH && (!is_urgent(put) || got == put))
			put_some(from, &put);
		rig_turn(&rig, 0);
		n = recv(to, buf, sizeof(buf), 0);
		if (n == -1) {
			assert_int_equal(errno, EAGAIN);
			continue;
		}
		assert_int_equal(pattern_match(1, got, buf, (size_t)n), n);
		got += (uint64_t)n;
	}
	assert_int_equal(got, put);
}

static void
both_ways(bool spliced)
{
	struct shuttle_counts *counts = rig.env.kit.counts;

	if (spliced)
		rig.env.kit.pipes = pipepool_new();
	client_comes();
	carry_urgent(client, server);
	carry_urgent(server, client);
	assert_int_equal(counts->spliced > 0, spliced);
	assert_int_equal(rig_session(&rig)->state, SESSION_RELAY);
	assert_int_equal(rig_session(&rig)->way[UP].vain, 0);
}

TEST(urgent_copied)
{
	address("127.0.0.1:0");
	both_ways(false);
}

TEST(urgent_spliced)
{
	address("127.0.0.1:0");
	both_ways(true);
}

/* Without a block bytes are looked at before they are taken. */
TEST(urgent_peeked)
{
	uint32_t taken[4], i;

	for (i = 0; i < COUNT(taken); i++)
		taken[i] = bufpool_get(rig.env.kit.pool);
	address("127.0.0.1:0");
	both_ways(false);
	assert_true(rig.env.kit.counts->peeked > 0);
	for (i = 0; i < COUNT(taken); i++)
		bufpool_put(rig.env.kit.pool, taken[i]);
}

/* A stream that stands at an urgent byte goes on at once. */
TEST(no_turn_in_vain)
{
	static unsigned char buf[1 << 20];
	struct shuttle *up;
	uint64_t put = 0, got = 0;
	ssize_t n;

	address("127.0.0.1:0");
	rig.env.kit.pipes = pipepool_new();
	client_comes();
	up = &rig_session(&rig)->way[UP];
	up->splicing = true;
	pattern_fill(1, 0, buf, 1001);
	MUST(send(client, buf, 1000, 0));
	put = 1000;
	put_some(client, &put);
	assert_int_equal(put, 1001);
	while (got < put) {
		rig_turn(&rig, 1);
		assert_true(up->vain < 4);
		n = recv(server, buf, sizeof(buf), 0);
		got += n > 0 ? (uint64_t)n : 0;
	}
}

static void
unix_listener(void)
{
	char text[100];

	make_dir(dir, sizeof(dir));
	snprintf(text, sizeof(text), "unix:%s/sock", dir);
	address(text);
}

/* Their urgent bytes are those of the kernel, if it has them (5.15). */
TEST(urgent_unix_client)
{
	int p[2];
	ssize_t n;

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p));
	n = send(p[0], "!", 1, MSG_OOB);
	close_pair(p);
	if (n == -1)
		skip();
	unix_listener();
	client_comes();
	carry_urgent(client, server);
}

/* --- in vain --------------------------------------------------------------- */

enum { READS_CLIENT, READS_SERVER, WRITES_SERVER, WAYS };

/* One turn in which the call fails. Returns whether that was looked at. */
static bool
turn_once_in_vain(int what, int err)
{
	struct session *s = rig_session(&rig);
	bool looked;

	rig_faults.recv_fd = s->fd[what == READS_CLIENT ? CLIENT : SERVER];
	rig_faults.send_fd = s->fd[SERVER];
	if (what == WRITES_SERVER)
		rig_faults.send_error = err;
	else
		rig_faults.recv_error = err;
	rig_turn(&rig, 0);
	looked = rig_faults.recv_error == 0 && rig_faults.send_error == 0;
	rig_faults.recv_error = rig_faults.send_error = 0;
	return looked;
}

/*
 * Have the call fail for ever. Returns how often the descriptor was looked at
 * in *ms*, or until the session was over.
 */
static unsigned
turn_in_vain(int what, int err, uint64_t ms)
{
	uint64_t end = rig_clock + ms;
	unsigned looks = 0;

	while (rig.env.table.live > 0 && rig_clock < end) {
		rig_clock += 2;
		looks += turn_once_in_vain(what, err);
	}
	return looks;
}

/* Something is there to be read, however long the network takes for it. */
static void
make_ready(int what)
{
	const struct session *s;

	client_comes();
	TURN_UNTIL(&rig, rig_session(&rig)->state == SESSION_RELAY);
	s = rig_session(&rig);
	if (what == READS_SERVER) {
		write_text(server, "from the server");
		assert_true(comes(s->fd[SERVER], POLLIN, PATIENCE));
	} else {
		write_text(client, "from the client");
		assert_true(comes(s->fd[CLIENT], POLLIN, PATIENCE));
	}
}

TEST(reset_in_the_end)
{
	static const int errors[] = { ENOMEM, ENOBUFS, EAGAIN };
	uint64_t began;
	unsigned looks;
	int what;

	address("127.0.0.1:0");
	for (what = 0; what < WAYS; what++) {
		make_ready(what);
		began = rig_clock;
		looks = turn_in_vain(what, errors[what], 60000);
		assert_int_equal(rig.env.table.live, 0);
		assert_in_range(rig_clock - began, 5000, 20000);
		assert_in_range(looks, 30, 80);
		assert_int_equal(rig_ends(&rig, END_STALLED), what + 1);
		rig_expect_reset(&rig, client);
		rig_hang_up(&client);
		rig_hang_up(&server);
	}
	assert_non_null(strstr(rig_log(&rig), " end=proxy.stalled\n"));
	assert_false(server_on_probation(&rig.servers, 0));
}

/* What was only a short want leaves nothing behind. */
TEST(goes_on)
{
	int what, i;

	address("127.0.0.1:0");
	for (what = 0; what < WAYS; what++) {
		make_ready(what);
		for (i = 0; i < 4; i++) {
			(void)turn_in_vain(what, ENOMEM, 4000);
			assert_int_equal(rig.env.table.live, 1);
			if (what == READS_SERVER) {
				rig_expect(&rig, client, "from the server");
				write_text(server, "from the server");
			} else {
				rig_expect(&rig, server, "from the client");
				write_text(client, "from the client");
			}
		}
		rig_hang_up(&client);
		rig_hang_up(&server);
		TURN_UNTIL(&rig, rig.env.table.live == 0);
	}
	assert_int_equal(rig_ends(&rig, END_STALLED), 0);
}

/* The other way is not stopped by it, nor does it hide it. */
TEST(only_one_way)
{
	uint64_t give_up = clock_ms() + PATIENCE;
	char c = 'x';
	int i;

	address("127.0.0.1:0");
	make_ready(READS_SERVER);
	for (i = 0; i < 200; i++) {
		(void)turn_in_vain(READS_SERVER, ENOMEM, 20);
		MUST(write(client, &c, 1));
		/* What the network takes is no time of the session's. */
		while (recv(server, &c, 1, 0) != 1) {
			assert_true(clock_ms() < give_up);
			(void)turn_once_in_vain(READS_SERVER, ENOMEM);
		}
	}
	assert_int_equal(rig.env.table.live, 1);
	(void)turn_in_vain(READS_SERVER, ENOMEM, 60000);
	assert_int_equal(rig_ends(&rig, END_STALLED), 1);
}

OVER_ENGINES
