/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_session_log.c: which sessions leave a line, and when one that lasts leaves
 * some in between. What stands in it is tested in test_access_log_format.c.
 */
#include "session/session_log.h"

#include "helpers.h"
#include "session_rig.h"

#define MANY		1000		/* more than one turn looks at */

static struct rig rig;

int
set_up(void)
{
	rig_start(&rig, MANY, 8, 65536);
	rig_add_server(&rig);
	rig_ready(&rig);
	return 0;
}

int
tear_down(void)
{
	return rig_stop(&rig);
}

static unsigned
count(const char *what)
{
	const char *at = rig_log(&rig);
	unsigned n = 0;

	while ((at = strstr(at, what)) != NULL) {
		at++;
		n++;
	}
	return n;
}

/* *n* sessions, which the client ends in this way. */
static void
have(unsigned n, void (*how)(int))
{
	int client, server;

	while (n-- > 0) {
		client = rig_client(&rig);
		server = rig_server(&rig, 0);
		TURN_UNTIL(&rig, rig_session(&rig)->state == SESSION_RELAY);
		how(client);
		rig_turn(&rig, 100);
		close(server);
		TURN_UNTIL(&rig, rig.env.table.live == 0);
	}
}

static void
end_well(int fd)
{
	close(fd);
}

TEST(all)
{
	have(3, end_well);
	have(2, rig_abort);
	assert_int_equal(count("session start "), 5);
	assert_int_equal(count(" end=client.close\n"), 3);
	assert_int_equal(count(" end=client.reset\n"), 2);
}

TEST(errors)
{
	rig.env.lines.every = 0;
	have(3, end_well);
	have(2, rig_abort);
	assert_int_equal(count(" end="), 2);
	assert_int_equal(count(" end=client.reset\n"), 2);
}

TEST(none)
{
	rig.env.lines.every = 0;
	rig.env.lines.errors = false;
	have(2, end_well);
	have(2, rig_abort);
	assert_int_equal(count(" end="), 0);
}

TEST(one_in_so_many)
{
	rig.env.lines.every = 3;
	have(4, end_well);
	have(2, rig_abort);
	have(5, end_well);
	assert_int_equal(count(" end=client.close\n"), 3);
	assert_int_equal(count(" end=client.reset\n"), 2);
}

/* From when it was accepted, by the clock of the turn that brought it. */
TEST(first_byte)
{
	const char *line;
	int client, server;

	rig.stopped = true;
	client = rig_client(&rig);
	server = rig_server(&rig, 0);
	TURN_UNTIL(&rig, rig_session(&rig)->state == SESSION_RELAY);
	rig_write(&rig, client, "1");
	rig_pass(&rig, 300);
	assert_false(session_cold(&rig.env, rig_session(&rig))->answered);
	write_text(server, "2");
	rig_expect(&rig, client, "2");
	rig_pass(&rig, 400);
	write_text(server, "3");
	rig_expect(&rig, client, "3");
	close(client);
	close(server);
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_non_null(line = strstr(rig_log(&rig), " first_byte_ms="));
	assert_int_equal(atoi(line + 15), 300);
	/* The next in its place has not heard from a server. */
	client = rig_client(&rig);
	server = rig_server(&rig, 0);
	TURN_UNTIL(&rig, rig_session(&rig)->state == SESSION_RELAY);
	close(client);
	rig_turn(&rig, 10);
	close(server);
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_non_null(strstr(rig_log(&rig), " first_byte_ms=- "));
}

/* It is over then, although its line comes when it has gone. */
TEST(turned_away)
{
	const char *line;
	int client;

	rig_refuse(&rig, 0);
	client = rig_client(&rig);
	TURN_UNTIL(&rig, rig_session(&rig)->state == SESSION_LINGER);
	rig_pass(&rig, 1500);
	assert_int_equal(count(" end="), 0);
	close(client);
	TURN_UNTIL(&rig, rig.env.table.live == 0);
	assert_non_null(line = strstr(rig_log(&rig), " total_ms="));
	assert_in_range(atoi(line + 10), 0, 1000);
}

TEST(lines_in_between)
{
	struct session_env *e = &rig.env;
	int client, server, i;

	e->lines.interval = 10000;
	assert_int_equal(session_log_wait(e, 500), 0);
	rig_turn(&rig, 0);
	client = rig_client(&rig);
	server = rig_server(&rig, 0);
	rig_write(&rig, client, "123");
	rig_expect(&rig, server, "123");
	assert_int_equal(session_log_wait(e, 500), 500);
	assert_in_range(session_log_wait(e, 60000), 5000, 10000);
	/* It comes when the session has lasted that long, and then each time. */
	for (i = 0; i < 4; i++) {
		rig_pass(&rig, 9000);
		rig_pass(&rig, 1100);
	}
	assert_in_range(count("session still "), 3, 4);
	assert_int_equal(count("session still "), count(" listener=front "
	    "servers_tried=a bytes_up=3 bytes_down=0 connect_ms="));
	e->lines.interval = 0;
	assert_int_equal(session_log_wait(e, 500), 500);
	i = (int)count("session still ");
	rig_pass(&rig, 100000);
	assert_int_equal(count("session still "), i);
	close(client);
	close(server);
	TURN_UNTIL(&rig, e->table.live == 0);
}

/* A turn looks at some of them only, the next one goes on. */
TEST(many_that_last)
{
	struct session_env *e = &rig.env;
	unsigned turns, i;

	rig_turn(&rig, 0);
	e->lines.interval = 1000;
	e->table.used = MANY;
	for (i = 0; i < MANY; i++) {
		e->table.session[i].started = e->now;
		e->table.session[i].client.family = AF_INET;
		e->table.session[i].client.port = (uint16_t)(1000 + i);
		e->table.session[i].state = i % 2 ? SESSION_RELAY : SESSION_FREE;
	}
	e->now += 1000;
	for (turns = 0; turns == 0 || session_log_wait(e, 50) == 0; turns++)
		session_log_turn(e);
	assert_in_range(turns, 4, 5);
	assert_int_equal(count("session still "), MANY / 2);
	assert_int_equal(count("client=0.0.0.0:1001 "), 1);
	assert_int_equal(count("client=0.0.0.0:1999 "), 1);
	assert_int_equal(session_log_wait(e, 5000), 1000);
	for (i = 0; i < MANY; i++)
		e->table.session[i].state = SESSION_FREE;
	e->table.used = 0;
}

/* The listener's own takes all three, and none is as good as any. */
TEST(own_log)
{
	char path[300], text[4096];
	struct log *own;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/own", rig.dir);
	assert_non_null(own = log_open(path, LOG_DEBUG));
	fd = (int)MUST(open(path, O_RDONLY));
	rig.route.log = own;
	have(1, end_well);
	log_flush(own);
	n = MUST(read(fd, text, sizeof(text) - 1));
	text[n] = '\0';
	assert_non_null(strstr(text, "session start "));
	assert_non_null(strstr(text, " end=client.close\n"));
	assert_int_equal(count("session "), 0);
	rig.route.silent = true;
	have(1, end_well);
	log_flush(own);
	assert_int_equal(read(fd, text, sizeof(text)), 0);
	assert_int_equal(count("session "), 0);
	close(fd);
	log_close(own);
	MUST(unlink(path));
}
