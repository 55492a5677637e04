/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session.h: one client, the server that serves it, and the bytes between.
 *
 *	PROXY_HEADER -> ADMIT -> PICK -> CONNECT -> RELAY -> FLUSH -> gone
 *	                         ^ ^________|  on failure, with another server
 *	                         +-> QUEUE -> CONNECT, while all are full
 *
 * ADMIT and QUEUE may have a count checked again later: PARKED returns to ADMIT
 * or PICK. From each state before RELAY a session that cannot be served moves to
 * LINGER, which reads what the client has sent, because a close with unread
 * bytes would be a reset. FLUSH waits until the peer's system has all bytes
 * before a reset is passed on, because a reset overtakes them. ADMIT and PICK
 * never outlast a call, nor does PROXY_HEADER where no header is due.
 *
 * A session is plain data without pointers: two descriptors, two shuttles and
 * numbers, so that it can be handed to another process.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"
#include "relay/shuttle.h"
#include "session/session_end.h"

struct session_env;

#define SESSION_ATTEMPTS	8	/* maximum of servers tried */

#define SESSION_STATES(X) X(FREE) X(PROXY_HEADER) X(ADMIT) X(PARKED) \
	X(PICK) X(QUEUE) X(CONNECT) X(RELAY) X(FLUSH) X(LINGER)

enum session_state {
#define X(name) SESSION_##name,
	SESSION_STATES(X)
#undef X
};

/* The two sides, and the two ways: way[UP] leads from CLIENT to SERVER. */
enum { CLIENT, SERVER };
enum { UP = CLIENT, DOWN = SERVER };

struct session {
	int		fd[2];		/* -1: none */
	struct shuttle	way[2];
	uint64_t	started;	/* clock_now_ms() when accepted */
	uint64_t	connected;	/* 0: not yet */
	uint64_t	last;		/* time of the last byte moved */
	struct endpoint	client;
	uint32_t	discarded;	/* bytes read for an ended side */
	uint32_t	early;		/* held, but sent while connecting */
	uint32_t	queued;		/* ms in the queue */
	uint32_t	downs;		/* of the server when it answered */
	uint32_t	heard[2];	/* last byte; ms since started */
	uint32_t	paid[2];	/* see session_throttle.c */
	uint32_t	held;		/* of limits: see session_limits.c */
	uint32_t	note;		/* see session_proxy.c */
	uint16_t	tried[SESSION_ATTEMPTS];
	uint16_t	header;		/* bytes received, or sent */
	uint16_t	number;		/* low bits of its number */
	uint16_t	listener;
	uint8_t		attempts : 4;	/* used entries of tried[] */
	uint8_t		sends : 2;	/* sends to the server, saturated */
	uint8_t		muted : 2;	/* by side: see session_stall.c */
	uint8_t		state : 5;	/* enum session_state */
	uint8_t		lack : 2;	/* enum socket_lack it waits for */
	union {
		struct {
			bool done[2];	/* this way has ended */
			bool paused[2];	/* this way, to limit its rate */
		};
		uint32_t ways;		/* all four, for deadline_key() */
	};
	uint8_t		end;		/* enum session_end */
	bool		reset[2];	/* this side was reset */
	bool		ending : 1;	/* counted among e->ending */
	bool		admitted : 1;	/* admitted by all limits */
	bool		shut : 1;	/* end of file was sent both ways */
	bool		watched : 1;	/* keepalive is set on the server */
	bool		in_line : 1;	/* SO_OOBINLINE is set on the server */
};
_Static_assert(sizeof(struct session) <= 192, "idle sessions cost more");

/* The server of the present attempt or connection. */
static inline uint32_t
session_server(const struct session *s)
{
	return s->tried[s->attempts - 1];
}

/*
 * Starts a session with an accepted client. Owns *fd* in any case. Must not be
 * called if table_full().
 */
void	session_open(struct session_env *, int fd,
	    const struct endpoint *client, uint16_t listener);

/* One of its descriptors is ready. The session may be gone afterwards. */
void	session_event(struct session_env *, struct session *, int side,
	    unsigned ready);

/*
 * QUEUE: it is its turn. False: there is no room for it, and it continues to
 * wait. After true the session may be gone.
 */
bool	session_serve(struct session_env *, struct session *);

/* Its timer has expired. The session may be gone afterwards. */
void	session_expired(struct session_env *, struct session *);

/*
 * Sends end of file both ways, so that both ends can finish by themselves. A
 * session without a server is rejected. It may be gone afterwards.
 */
void	session_shut(struct session_env *, struct session *,
	    enum session_end);

/* Ends it now; *abort* with a reset to both. Unsent bytes are dropped. */
void	session_kill(struct session_env *, struct session *,
	    enum session_end, bool abort);

const char *session_state_name(enum session_state);

#endif
