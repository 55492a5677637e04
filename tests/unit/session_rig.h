/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_rig.h: a worker's loop without a worker, for the tests of sessions:
 * real sockets, servers that are listeners of the test, and a clock of its
 * own. The test plays the clients and the servers.
 */
#ifndef SESSION_RIG_H
#define SESSION_RIG_H

#include "session/session_env.h"
#include "session/session_record.h"
#include "session/sessions.h"

#include "helpers.h"

#define RIG_SERVERS	6
#define RIG_DESCRIPTORS	1000

struct rig {
	struct session_env env;
	struct session_route route;	/* of the one listener */
	struct pool	 pool;		/* the one pool, of all servers */
	struct server	 list[RIG_SERVERS];
	int		 listener[RIG_SERVERS];	/* -1: none */
	struct servers	 servers;
	struct board	*board;
	bool		 stopped;	/* only the test moves the clock */
	int		 before;	/* descriptors open at the start */
	uint32_t	 blocks;	/* in the pool at the start */
	char		 dir[64], log[80];
};

/*
 * Make calls of the library fail. Each is for calls to come and counts down;
 * the test's own are let through unless it sets these before them.
 */
struct rig_faults {
	int	sockets, socket_error;
	int	connects, connect_error;
	in_port_t connect_port;	/* only to this one; 0: to any */
	int	recv_fd, recv_error;
	int	send_fd, send_error;
	size_t	send_most;	/* bytes of each, until it is 0 again */
};
extern struct rig_faults rig_faults;

/*
 * What clock_now_ms() says. It goes on by what turns wait in vain, however long the
 * system takes for that: a test that is not let run has missed no deadline, nor
 * has one whose segment is lost and sent again.
 */
extern uint64_t rig_clock;

/* A table for *sessions* sessions with *blocks* blocks of *size* bytes. */
void	rig_start(struct rig *, uint32_t sessions, uint32_t blocks,
	    size_t size);

/*
 * Reset what is left and take everything down. -1 when a session, a block or a
 * descriptor was lost on the way.
 */
int	rig_stop(struct rig *);

/* A server more, called a, b, c … with a listener of its own. Its number. */
int	rig_add_server(struct rig *);

/* Nobody listens there any more: connections are refused. */
void	rig_refuse(struct rig *, int server);

/*
 * To be called after the servers, before the first client. So that a test
 * knows who is next, they are picked in their order.
 */
void	rig_ready(struct rig *);

/* Spares that work with what the rig has; NULL with ENOMEM. */
struct preconnects *rig_preconnect(const struct rig *);

/* A client comes. Returns its end of the connection. */
int	rig_client(struct rig *);

/* One on a unix socket, whose buffer takes next to nothing from us. */
int	rig_unix_client(struct rig *);

/* The server's end of a connection to *server*. */
int	rig_server(struct rig *, int server);

/* One turn of the loop, which waits up to *ms* for an event. */
void	rig_turn(struct rig *, int ms);

/* Put the clock forward, then one turn. */
void	rig_pass(struct rig *, uint64_t ms);

/* Turn the loop until the condition holds; fail if it never does. */
#define TURN_UNTIL(rig, condition) do {					\
	uint64_t give_up_ = clock_ms() + PATIENCE;			\
									\
	while (!(condition)) {						\
		assert_true(clock_ms() < give_up_);			\
		rig_turn(rig, 1);					\
	}								\
} while (0)

/*
 * Some turns in which nothing is expected to happen, once what was sent before
 * has come.
 */
void	rig_idle(struct rig *);

/*
 * Read until *len* bytes or the end of file are there, while the loop turns. As
 * read_full() otherwise.
 */
ssize_t	rig_read(struct rig *, int fd, void *buf, size_t len);

/* As soon as there are any: how many, 0 at the end of file, or -1. */
ssize_t	rig_some(struct rig *, int fd, void *buf, size_t len);

/* The next bytes are these, and no more than these have come. */
void	rig_expect(struct rig *, int fd, const char *text);
/* End of file comes, with nothing before it. */
void	rig_expect_end(struct rig *, int fd);
/* A reset comes, with nothing before it. */
void	rig_expect_reset(struct rig *, int fd);

/* Write all of *text* while the loop turns. */
void	rig_write(struct rig *, int fd, const char *text);

/* Close with a reset. */
void	rig_abort(int fd);

/* The log until now. */
const char *rig_log(struct rig *);

/* The session whose client came first; fails when there is none. */
struct session *rig_session(struct rig *);

/* Its id. */
void	rig_unique_id(struct rig *, char id[SESSION_ID]);

/* The same, but NULL when there is none. */
struct session *rig_any_session(struct rig *);

/* How many sessions have ended so, by the board. */
uint64_t rig_ends(struct rig *, enum session_end);

/* No session is left, and the one there was ended so, by board and log. */
void	rig_ended(struct rig *, enum session_end);

/* Close it, unless it is -1; then it is. */
void	rig_hang_up(int *fd);

#endif
