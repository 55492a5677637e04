/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_end.h: the reasons why a session ends, and which of several counts.
 */
#ifndef SESSION_END_H
#define SESSION_END_H

#include "board/board.h"

struct session;

/*
 * Why a session ended: the side, and the event. The first one counts.
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
	X(NO_SERVER,		"proxy.no_server")			\
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
	X(CLIENT_FULL,		"proxy.client_full")			\
	X(SESSION_RATE,		"proxy.session_rate")			\
	X(CLIENT_RATE,		"proxy.client_rate")			\
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

const char *session_end_name(enum session_end);

/*
 * Records an end reason. The first one stays, because later ones are its
 * consequence; but an orderly close of one side gives way to a later error.
 */
void	session_note_end(struct session *, enum session_end);

#endif
