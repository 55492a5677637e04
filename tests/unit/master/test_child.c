/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_child.c: what a child does not take at once it gets later, whatever it is: a
 * worker that never hears that it may accept would serve nobody.
 */
#include "master/child.h"

#include "helpers.h"
#include "sys/channel.h"
#include "process/process.h"

static struct child child;
static int theirs;
static int none[LOGS];	/* no log has a descriptor to hand over */

int
set_up(void)
{
	int pair[2], i;

	for (i = 0; i < LOGS; i++)
		none[i] = -1;
	child_init(&child);
	if (channel_open(pair) == -1)
		return -1;
	child.channel = pair[0];
	theirs = pair[1];
	return 0;
}

int
tear_down(void)
{
	child_close_channel(&child);
	close(theirs);
	return 0;
}

/* Until the channel takes no more. */
static void
fill(void)
{
	unsigned n = 0;

	while (channel_send(child.channel, '.', -1) == 0)
		n++;
	assert_int_equal(errno, EAGAIN);
	assert_in_range(n, 1, 100000);
}

/* The next that is not filling; 0: there is none. */
static char
next_message(void)
{
	int passed;
	char what;

	while (channel_receive(theirs, &what, &passed) == 1) {
		if (passed != -1)
			close(passed);
		if (what != '.')
			return what;
	}
	return 0;
}

/* Logs come first; one that is not for this child is not sent. */
TEST(in_order)
{
	int log[LOGS];

	memcpy(log, none, sizeof(log));
	log[0] = log[CONF_LOGS] = STDERR_FILENO;
	child.owed = TELL_LOOK | TELL_GO | TELL_LOG | TELL_LOG << 1 |
	    (unsigned)TELL_LOG << CONF_LOGS;
	assert_int_equal(child_pay(&child, log), 0);
	assert_int_equal(child.owed, 0);
	assert_int_equal(child_wait(&child), -1);
	assert_int_equal(next_message(), CHANNEL_LOG);
	assert_int_equal(next_message(), CHANNEL_LAST_LOG);
	assert_int_equal(next_message(), CHANNEL_GO);
	assert_int_equal(next_message(), CHANNEL_LOOK);
	assert_int_equal(next_message(), 0);
}

TEST(later)
{
	fill();
	child.owed = TELL_GO;
	assert_int_equal(child_pay(&child, none), 0);
	assert_int_equal(child.owed, TELL_GO);
	assert_in_range(child_wait(&child), 1, 1000);
	child.owed |= TELL_LOOK;
	assert_int_equal(child_pay(&child, none), 0);
	assert_int_equal(next_message(), 0);
	assert_int_equal(child_pay(&child, none), 0);
	assert_int_equal(child.owed, 0);
	assert_int_equal(next_message(), CHANNEL_GO);
	assert_int_equal(next_message(), CHANNEL_LOOK);
}

TEST(gone)
{
	close(theirs);
	child.owed = TELL_GO;
	assert_int_equal(child_pay(&child, none), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(child.owed, 0);
	theirs = -1;
}
