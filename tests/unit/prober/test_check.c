/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_check.c: a check of a server that resets its connection, which has done so
 * before the check looks again: the same each time, whoever is quicker.
 */
#include "prober/check.h"

#include "helpers.h"

static struct check check;
static struct check_policy plan;
static struct egress egress;
static struct check_exchange *exchange;
static struct addr server;
static int listener;

int
set_up(void)
{
	memset(&plan, 0, sizeof(plan));
	memset(&server, 0, sizeof(server));
	listener = loopback_listen(&server.in, 5);
	server.len = sizeof(server.in);
	return 0;
}

int
tear_down(void)
{
	check_abandon(&check);
	check_exchange_free(exchange);
	close(listener);
	return 0;
}

/* The server says this and resets; then the check goes on. */
static enum verdict
act_after_reset(const char *says, unsigned proxy)
{
	const struct linger at_once = { .l_onoff = 1 };
	uint64_t give_up = clock_ms() + PATIENCE;
	enum verdict v;
	int fd, i;

	assert_non_null(exchange = check_exchange_new(&plan));
	assert_int_equal(check_connect(&check, exchange, false, proxy, &egress,
	    &server, &v), 0);
	/* A reset that the network loses comes when somebody asks. */
	watch_peer(check.fd);
	fd = accept(listener, NULL, NULL);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, says, strlen(says)), strlen(says));
	/* What it says has come before the reset, which would take it along. */
	while (in_flight())
		assert_true(clock_ms() < give_up);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
	for (i = 0; v == VERDICT_OPEN && i < 10; i++) {
		assert_true(comes(check.fd, POLLIN, PATIENCE));
		v = check_act(&check);
	}
	return v;
}

/* That it could connect is all that is asked. */
TEST(connected_is_enough)
{
	plan.kind = CHECK_TCP;
	assert_int_equal(act_after_reset("", 0), VERDICT_PASSED);
	assert_string_equal(check.why, "connected");
}

/* A header that could not be sent does not change that. */
TEST(header_is_not_sent)
{
	plan.kind = CHECK_TCP;
	assert_int_equal(act_after_reset("", 2), VERDICT_PASSED);
	assert_string_equal(check.why, "connected");
}

/* What came before the reset counts. */
TEST(answers_and_resets)
{
	plan.kind = CHECK_SEND_EXPECT;
	plan.send = "QUIT";
	plan.expect = "220";
	assert_int_equal(act_after_reset("220 well", 0), VERDICT_PASSED);
	assert_string_equal(check.why, "expected reply");
}

TEST(resets_without_an_answer)
{
	plan.kind = CHECK_SEND_EXPECT;
	plan.expect = "220";
	assert_int_equal(act_after_reset("", 0), VERDICT_FAILED);
	assert_string_equal(check.why, "closed without an answer");
}

TEST(refused)
{
	enum verdict v;

	plan.kind = CHECK_TCP;
	close(listener);
	listener = -1;
	assert_non_null(exchange = check_exchange_new(&plan));
	assert_int_equal(check_connect(&check, exchange, false, 0, &egress,
	    &server, &v), 0);
	while (v == VERDICT_OPEN)
		v = check_act(&check);
	assert_int_equal(v, VERDICT_FAILED);
	assert_string_equal(check.why, "connect: Connection refused");
}
