/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_session_limits.c: who is refused and why, that a refusal takes nothing, and
 * that what a session takes comes back, however it ends.
 */
#include "session_rig.h"

#include "board/concurrency.h"

static struct rig rig;

int
set_up(void)
{
	rig_start(&rig, 20, 4, 4096);
	rig_add_server(&rig);
	rig_ready(&rig);
	return 0;
}

int
tear_down(void)
{
	return rig_stop(&rig);
}

/* One comes, and is served. */
static int
admitted(void)
{
	uint32_t before = concurrency_count(rig.board, BOARD_EVERYBODY);
	int fd = rig_client(&rig);

	/* Rates are not to see the second that a lost request takes. */
	rig.stopped = true;
	close(rig_server(&rig, 0));
	rig.stopped = false;
	assert_int_equal(concurrency_count(rig.board, BOARD_EVERYBODY),
	    before + 1);
	return fd;
}

/* One comes, and is rejected for this reason: it counts nowhere. */
static void
refused(enum session_end why)
{
	uint32_t before = concurrency_count(rig.board, BOARD_EVERYBODY);
	uint32_t here = concurrency_count(rig.board, 0);
	uint64_t ends = rig_ends(&rig, why);
	uint64_t live = board_server_live(rig.board, 0);
	int fd = rig_client(&rig);

	/* Not even while it lingers. */
	rig_expect_end(&rig, fd);
	assert_int_equal(concurrency_count(rig.board, BOARD_EVERYBODY), before);
	assert_int_equal(concurrency_count(rig.board, 0), here);
	assert_int_equal(board_server_live(rig.board, 0), live);
	close(fd);
	TURN_UNTIL(&rig, rig_ends(&rig, why) == ends + 1);
	assert_non_null(strstr(rig_log(&rig), session_end_name(why)));
}

static void
goes(int fd)
{
	uint32_t before = rig.env.table.live;

	rig_abort(fd);
	TURN_UNTIL(&rig, rig.env.table.live < before);
}

TEST(all)
{
	int fd[2];

	rig.env.max_sessions = 2;
	fd[0] = admitted();
	fd[1] = admitted();
	refused(END_MAX_SESSIONS);
	goes(fd[0]);
	fd[0] = admitted();
	refused(END_MAX_SESSIONS);
	goes(fd[0]);
	goes(fd[1]);
}

TEST(listener)
{
	int fd;

	rig.route.counts.max_sessions = 1;
	rig.env.max_sessions = 1;
	fd = admitted();
	refused(END_LISTENER_FULL);
	goes(fd);
	/* Without a slot there is no limit. */
	rig.route.slot = BOARD_NO_SLOT;
	fd = admitted();
	refused(END_MAX_SESSIONS);
	goes(fd);
}

TEST(client)
{
	struct session *s;
	int fd[3];

	rig.route.counts.max_per_client = 2;
	fd[0] = admitted();
	s = rig_session(&rig);
	fd[1] = admitted();
	refused(END_CLIENT_FULL);
	/* All who come over a unix socket are one, and another one. */
	fd[2] = rig_unix_client(&rig);
	close(rig_server(&rig, 0));
	assert_int_equal(concurrency_count(rig.board, BOARD_EVERYBODY), 3);
	goes(fd[2]);
	session_kill(&rig.env, s, END_STOP, false);
	close(fd[0]);
	fd[0] = admitted();
	refused(END_CLIENT_FULL);
	goes(fd[0]);
	goes(fd[1]);
}

TEST(rates)
{
	int fd[2];

	rig.route.counts.rate = 2;
	fd[0] = admitted();
	fd[1] = admitted();
	refused(END_SESSION_RATE);
	rig.route.counts.rate_per_client = 1;
	goes(fd[0]);
	goes(fd[1]);
	/* Refused by the listener: it has not come from its client either. */
	refused(END_SESSION_RATE);
	rig.route.counts.rate = 0;
	fd[0] = admitted();
	refused(END_CLIENT_RATE);
	goes(fd[0]);
}

/* What comes last says no: all that was taken before is given back. */
TEST(refused_counts_nowhere)
{
	int fd[3], i;

	rig.env.max_sessions = 1;
	fd[0] = admitted();
	rig.route.counts = (struct session_counts){ .max_sessions = 3,
	    .max_per_client = 2, .rate = 2, .rate_per_client = 2 };
	for (i = 0; i < 5; i++)
		refused(END_MAX_SESSIONS);
	assert_int_equal(concurrency_count(rig.board, 0), 1);
	rig.env.max_sessions = 0;
	fd[1] = admitted();
	fd[2] = admitted();
	refused(END_CLIENT_FULL);
	rig.route.counts.max_per_client = 0;
	refused(END_CLIENT_RATE);
	rig.route.counts.rate_per_client = 0;
	refused(END_LISTENER_FULL);
	rig.route.counts.max_sessions = 0;
	refused(END_SESSION_RATE);
	for (i = 0; i < 3; i++)
		goes(fd[i]);
}

/* Nobody serves it: it had its place, but not for so long as it lingers. */
TEST(turned_away)
{
	rig.env.max_sessions = 1;
	rig.list[0].state = SERVER_DRAIN;
	refused(END_NO_SERVER);
	rig.list[0].state = SERVER_READY;
	goes(admitted());
}

/* What two listeners share counts for both, beside what each has. */
TEST(shared)
{
	struct session_limit limit = { .name = "both", .slot = 7,
	    .counts = { .max_sessions = 2 } };
	struct session_route routes[2];
	int fd[3];

	routes[0] = routes[1] = rig.route;
	routes[0].limit = routes[1].limit = &limit;
	routes[1].slot = 1;
	rig.env.route = routes;
	fd[0] = admitted();
	/* One comes by the other listener. */
	assert_true(concurrency_enter(rig.board, 0, 7, 0));
	refused(END_LIMIT_FULL);
	concurrency_leave(rig.board, 0, 7);
	fd[1] = admitted();
	assert_int_equal(concurrency_count(rig.board, 7), 2);
	refused(END_LIMIT_FULL);
	limit.counts = (struct session_counts){ .rate = 1 };
	goes(fd[0]);
	fd[0] = admitted();
	refused(END_SESSION_RATE);
	limit.counts = (struct session_counts){ .max_per_client = 1 };
	fd[2] = admitted();
	refused(END_CLIENT_FULL);
	/* Its own are looked at first, and given back if the shared refuse. */
	routes[0].counts.max_per_client = 1;
	refused(END_CLIENT_FULL);
	routes[0].counts.max_per_client = 0;
	goes(fd[2]);
	limit.counts = (struct session_counts){ .rate_per_client = 1 };
	fd[2] = admitted();
	refused(END_CLIENT_RATE);
	goes(fd[0]);
	goes(fd[1]);
	goes(fd[2]);
	assert_int_equal(concurrency_count(rig.board, 7), 0);
	rig.env.route = &rig.route;
}

/* Over the limit, let in, and said so. */
static int
spared(enum session_end why)
{
	uint64_t before = rig.env.board->spared[why];
	char text[80];
	int fd = admitted();

	assert_int_equal(rig.env.parked, 0);
	assert_int_equal(rig.env.board->spared[why], before + 1);
	snprintf(text, sizeof(text), "would be refused: %s\n",
	    session_end_name(why));
	assert_non_null(strstr(rig_log(&rig), text));
	return fd;
}

TEST(dry_run)
{
	struct session_limit limit = { .name = "both", .slot = 7,
	    .counts = { .max_sessions = 1, .dry_run = true } };
	int fd[7], i;

	rig.route.counts = (struct session_counts){ .max_per_client = 1,
	    .dry_run = true };
	fd[0] = admitted();
	fd[1] = spared(END_CLIENT_FULL);
	/* It counts, so that the limit would hold from now on. */
	rig.route.counts.max_per_client = 2;
	fd[2] = spared(END_CLIENT_FULL);
	rig.route.counts.dry_run = false;
	refused(END_CLIENT_FULL);
	rig.route.counts = (struct session_counts){ .max_sessions = 3,
	    .dry_run = true };
	fd[3] = spared(END_LISTENER_FULL);
	rig.route.counts = (struct session_counts){ .rate = 1,
	    .dry_run = true };
	fd[4] = admitted();
	fd[5] = spared(END_SESSION_RATE);
	rig.route.counts = (struct session_counts){ .rate = 0 };
	rig.route.limit = &limit;
	assert_true(concurrency_enter(rig.board, 0, 7, 0));
	fd[6] = spared(END_LIMIT_FULL);
	concurrency_leave(rig.board, 0, 7);
	/* Another one is not spared with it. */
	rig.env.max_sessions = 7;
	refused(END_MAX_SESSIONS);
	rig.env.dry_run = true;
	for (i = 0; i < 7; i++)
		goes(fd[i]);
	rig.route.limit = NULL;
	rig.env.max_sessions = 1;
	fd[0] = admitted();
	fd[1] = spared(END_MAX_SESSIONS);
	goes(fd[0]);
	goes(fd[1]);
}

/* No limit of clients, no memory for them. */
TEST(off)
{
	int fd = admitted();

	assert_int_equal(rig.board->head->counts_clients[rig.servers.worker],
	    0);
	assert_int_equal(concurrency_count(rig.board, rig.route.slot), 1);
	goes(fd);
}
