/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session.h: one client, the backend that serves it, and the bytes between.
 *
 *	(HEADER ->) PICK -> CONNECT -> RELAY -> (FLUSH ->) gone
 *	| ^________|  on failure, with a backend not tried yet
 *	|<--> QUEUE, while all that are left are full
 *	|<--> PARKED, for a second look before a count refuses it
 *	+-> (LINGER ->) gone, when there is none, or it may not come in
 *
 * HEADER waits for that of the PROXY protocol, which says who the client is.
 * PICK is passed through within one turn. FLUSH waits for the peer's system to
 * have all bytes before a reset is passed on, since a reset overtakes them.
 * LINGER reads what the client has sent to nobody, since closing with bytes
 * unread would be a reset.
 *
 * A session is plain data: two descriptors, two shuttles and numbers, without
 * a pointer, so that it can be handed to another process.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "board/board.h"
#include "net/addr.h"
#include "relay/shuttle.h"

struct session_table;

#define SESSION_ATTEMPTS	8	/* backends tried at most */

#define SESSION_STATES(X) X(FREE) X(HEADER) X(PARKED) X(PICK) X(QUEUE) \
	X(CONNECT) X(RELAY) X(FLUSH) X(LINGER)

enum session_state {
#define X(name) SESSION_##name,
	SESSION_STATES(X)
#undef X
};

/*
 * Why a session ended: who did it, and what. The first that happens counts.
 * doc/shuttled.8 explains each; a test compares the two.
 */
#define SESSION_ENDS(X)							\
	X(NONE,			"none")					\
	X(CLIENT_CLOSE,		"client.close")				\
	X(SERVER_CLOSE,		"server.close")				\
	X(CLIENT_RESET,		"client.reset")				\
	X(SERVER_RESET,		"server.reset")				\
	X(CLIENT_LOST,		"client.lost")				\
	X(SERVER_LOST,		"server.lost")				\
	X(SERVER_REFUSED,	"server.refused")			\
	X(SERVER_UNREACHABLE,	"server.unreachable")			\
	X(CONNECT_TIMEOUT,	"proxy.connect_timeout")		\
	X(IDLE_TIMEOUT,		"proxy.idle_timeout")			\
	X(FIN_TIMEOUT,		"proxy.fin_timeout")			\
	X(NO_BACKEND,		"proxy.no_backend")			\
	X(QUEUE_TIMEOUT,	"proxy.queue_timeout")			\
	X(QUEUE_FULL,		"proxy.queue_full")			\
	X(UNAVAILABLE,		"proxy.unavailable_timeout")		\
	X(CONNECT_TOTAL,	"proxy.connect_total_timeout")		\
	X(SERVER_DOWN,		"proxy.server_down")			\
	X(NOT_TRUSTED,		"proxy.not_trusted")			\
	X(BAD_HEADER,		"client.bad_header")			\
	X(HEADER_TIMEOUT,	"proxy.header_timeout")			\
	X(DENIED,		"proxy.denied")				\
	X(MAX_SESSIONS,		"proxy.max_sessions")			\
	X(LISTENER_FULL,	"proxy.listener_full")			\
	X(LIMIT_FULL,		"proxy.limit_full")			\
	X(SOURCE_FULL,		"proxy.source_full")			\
	X(SESSION_RATE,		"proxy.session_rate")			\
	X(SOURCE_RATE,		"proxy.source_rate")			\
	X(CLIENT_IDLE,		"proxy.client_idle")			\
	X(SERVER_IDLE,		"proxy.server_idle")			\
	X(MAX_LIFETIME,		"proxy.max_lifetime")			\
	X(RESOURCES,		"proxy.resources")			\
	X(DRAIN,		"proxy.drain")				\
	X(STOP,			"proxy.stop")				\
	X(NO_LOCAL_PORT,	"proxy.no_local_port")			\
	X(STALLED,		"proxy.stalled")

enum session_end {
#define X(name, text) END_##name,
	SESSION_ENDS(X)
#undef X
	END_REASONS
};
_Static_assert(END_REASONS <= BOARD_ENDS, "the board has too few counters");

/* The two sides, and the two ways: way[UP] leads from CLIENT to SERVER. */
enum { CLIENT, SERVER };
enum { UP = CLIENT, DOWN = SERVER };

struct session {
	int		fd[2];		/* -1: none */
	struct shuttle	way[2];
	uint64_t	started;	/* clock_now_ms() when accepted */
	uint64_t	connected;	/* 0: not yet */
	uint64_t	last;		/* when the last byte moved */
	struct endpoint	client;
	uint32_t	discarded;	/* bytes read for a side that is gone */
	uint32_t	early;		/* held, but sent while connecting */
	uint32_t	queued;		/* ms in the queue, until it left */
	uint32_t	downs;		/* of the backend when it answered */
	uint32_t	heard[2];	/* way moved; ms since started */
	uint32_t	paid[2];	/* for bytes: see session_throttle.c */
	uint32_t	held;		/* of limits: see session_limits.c */
	uint32_t	note;		/* see session_proxy.c */
	uint16_t	tried[SESSION_ATTEMPTS];
	uint16_t	header;		/* bytes of it that came, or went */
	uint16_t	number;		/* of this worker's, the lower bits */
	uint16_t	listener;
	uint8_t		attempts : 4;	/* of tried[] that are filled */
	uint8_t		sends : 2;	/* to the server, as far as it matters */
	uint8_t		muted : 2;	/* by side: see session_stall.c */
	uint8_t		state : 5;	/* enum session_state */
	uint8_t		lack : 2;	/* enum socket_lack: what it waits for */
	uint8_t		end;		/* enum session_end */
	bool		done[2];	/* this way has ended */
	bool		reset[2];	/* this side was reset */
	bool		paused[2];	/* this way, to keep its rate */
	bool		ending : 1;	/* counted among t->ending */
	bool		admitted : 1;	/* all limits have let it in */
	bool		shut : 1;	/* end of file was sent both ways */
	bool		watched : 1;	/* a dead server will be noticed */
	bool		in_line : 1;	/* the server's urgent bytes, too */
};
_Static_assert(sizeof(struct session) <= 192, "idle sessions cost more");

/*
 * Begin a session with an accepted client. Takes *fd* over, whatever happens.
 * Not to be called when table_full().
 */
void	session_open(struct session_table *, int fd,
	    const struct endpoint *client, uint16_t listener);

/* One of its descriptors is ready. The session may be gone afterwards. */
void	session_event(struct session_table *, struct session *, int side,
	    unsigned ready);

/* Its timer has come. The session may be gone afterwards. */
void	session_expired(struct session_table *, struct session *);

/*
 * Send end of file both ways, so that both ends may finish by themselves. Who
 * has no server yet is turned away. The session may be gone afterwards.
 */
void	session_shut(struct session_table *, struct session *,
	    enum session_end);

/* End it now; *abort* with a reset to both. Unsent bytes are dropped. */
void	session_kill(struct session_table *, struct session *,
	    enum session_end, bool abort);

const char *session_end_name(enum session_end);
const char *session_state_name(enum session_state);

#endif
