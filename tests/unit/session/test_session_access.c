/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_session_access.c: clients that allow and deny keep out, what they see of it,
 * and what is left behind.
 */
#include "session/session.h"

#include <netinet/in.h>

#include "net/cidr.h"
#include "helpers.h"
#include "session_rig.h"
#include "net/socket.h"
#include "net/socket_option.h"

static struct rig rig;
static struct cidr *list;
static int	client;

int
set_up(void)
{
	client = -1;
	assert_non_null(list = cidr_new());
	rig_start(&rig, 20, 4, 65536);
	rig_add_server(&rig);
	rig_ready(&rig);
	return 0;
}

int
tear_down(void)
{
	if (client != -1)
		close(client);
	cidr_free(list);
	return rig_stop(&rig);
}

static void
add(const char *network, enum cidr_verdict v)
{
	char why[CIDR_WHY];

	assert_int_equal(cidr_add(list, network, v, why), 0);
}

/* A client comes, and is or is not a session that goes on. */
static void
visit(bool in)
{
	uint64_t before = rig_ends(&rig, END_DENIED);

	client = rig_client(&rig);
	assert_int_equal(rig_session(&rig)->state == SESSION_LINGER, !in);
	rig_abort(client);
	TURN_UNTIL(&rig, rig_any_session(&rig) == NULL);
	assert_int_equal(rig_ends(&rig, END_DENIED), before + !in);
	client = -1;
}

TEST(deny)
{
	rig.route.deny = list;
	add("127.0.0.2", CIDR_DENY);
	assert_int_equal(cidr_build(list), 0);
	visit(true);
	cidr_free(list);
	assert_non_null(list = cidr_new());
	add("127.0.0.0/8", CIDR_DENY);
	assert_int_equal(cidr_build(list), 0);
	rig.route.deny = list;
	visit(false);
	assert_non_null(strstr(rig_log(&rig), "servers_tried=- "));
	assert_non_null(strstr(rig_log(&rig), "end=proxy.denied"));
}

TEST(allow)
{
	rig.route.allow = list;
	add("127.0.0.2", CIDR_ALLOW);
	assert_int_equal(cidr_build(list), 0);
	visit(false);
	cidr_free(list);
	assert_non_null(list = cidr_new());
	add("127.0.0.1", CIDR_ALLOW);
	assert_int_equal(cidr_build(list), 0);
	rig.route.allow = list;
	visit(true);
}

/* A client that is denied, and has sent something by then. */
static void
deny(enum session_rejection refuse)
{
	add("all", CIDR_DENY);
	assert_int_equal(cidr_build(list), 0);
	rig.route.deny = list;
	rig.route.reject_with = refuse;
	client = rig_client(&rig);
}

TEST(close)
{
	deny(REJECT_CLOSE);
	rig_write(&rig, client, "hello");
	rig_expect_end(&rig, client);
}

TEST(reset)
{
	deny(REJECT_RESET);
	rig_expect_reset(&rig, client);
	assert_null(rig_any_session(&rig));
	assert_int_equal(rig_ends(&rig, END_DENIED), 1);
}

/* On loopback, a neighbour: what goes further is for tests/process/access.sh. */
TEST(drop)
{
	deny(REJECT_DROP);
	rig_expect_end(&rig, client);
	assert_null(rig_any_session(&rig));
	assert_int_equal(rig_ends(&rig, END_DENIED), 1);
	/* Nobody is there for this, and nobody answers. */
	assert_int_equal(send(client, "hello", 5, MSG_NOSIGNAL), 5);
	rig_idle(&rig);
	assert_int_equal(send(client, "hello", 5, MSG_NOSIGNAL), 5);
	assert_int_equal(socket_unacked(client), 10);
}

/* In a flood it is a reset, which goes no further; a minute later it is not. */
TEST(drop_many)
{
	int n;

	deny(REJECT_DROP);
	for (n = 1; n < 128; n++) {
		rig_expect_end(&rig, client);
		close(client);
		client = rig_client(&rig);
	}
	rig_expect_end(&rig, client);
	close(client);
	client = rig_client(&rig);
	rig_expect_reset(&rig, client);
	close(client);
	rig_pass(&rig, SOCKET_VANISHED_MS);
	client = rig_client(&rig);
	rig_expect_end(&rig, client);
	assert_int_equal(rig_ends(&rig, END_DENIED), 130);
}
