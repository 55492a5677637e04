/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * session_step.h: what the files of a session's life share; nobody else includes
 * it. session.c begins, watches and ends it, session_proxy.c finds out who it
 * is (HEADER) and tells the server, session_access.c lets it in, session_park.c
 * has a count that refuses it looked at again (PARKED),
 * session_connect.c finds it a backend (PICK, CONNECT, LINGER), session_queue.c
 * lets it wait for one (QUEUE), session_relay.c carries its bytes (RELAY, FLUSH),
 * session_throttle.c not too fast; session_timers.c knows what lasts too long and
 * session_stall.c what comes to nothing.
 */
#ifndef SESSION_STEP_H
#define SESSION_STEP_H

#include "proto/proxyproto.h"
#include "session/session.h"
#include "session/session_log.h"
#include "session/session_table.h"

/* How often to ask whether all bytes have arrived before a reset, in ms. */
#define SESSION_FLUSH_POLL	(2 * TIMER_TICK)

/*
 * When to have the system watch over the server, in ms: of shorter sessions a
 * dead one is noticed all the same, and they go without the calls.
 */
#define SESSION_WATCH	1000

/* How long a client that is turned away may go on sending, in ms. */
#define SESSION_LINGER_TIME	2000

/* Who gets a reset when a session ends: a side, or one of these. */
enum { NOBODY = -1, EVERYBODY = 2 };

/* session.c */
void	session_set_state(struct session *, enum session_state);
void	session_note_end(struct session *, enum session_end);
/* At the end of a step: what the poller is to look for. */
void	session_set_interest(struct session_table *, const struct session *);
/* The backend of the attempt that is under way or stands. */
uint32_t session_backend(const struct session *);
/* The one way out; *reset* is a side, NOBODY or EVERYBODY. */
void	session_finish(struct session_table *, struct session *, int reset);
/* Close the connection to the backend, then give its place to others. */
void	session_let_go(struct session_table *, struct session *, bool abort);
void	session_give_place(struct session_table *, uint32_t backend);

/* session_timers.c */
/* Once a state has changed: when it will have lasted too long. */
void	session_set_timer(struct session_table *, struct session *);

/* session_throttle.c */
typedef enum shuttle_result session_mover(struct shuttle *,
	    const struct shuttle_kit *, int from, int to);
enum shuttle_result session_move_paced(struct session_table *,
	    struct session *, int way, session_mover *);
/* When the first way that pauses may go on, 0: none does; and it has come. */
uint64_t session_pace_at(const struct session_table *,
	    const struct session *);
void	session_pace_came(struct session_table *, struct session *);

/*
 * Have a way moved by this function of its shuttle, as fast as it may be. errno
 * is that of the function.
 */
static inline enum shuttle_result
session_move(struct session_table *t, struct session *s, int way,
    session_mover *move)
{
	if (t->route[s->listener].limits.rate[way] != 0)
		return session_move_paced(t, s, way, move);
	return move(&s->way[way], &t->kit, s->fd[way], s->fd[!way]);
}

/* session_proxy.c */
/*
 * Find out who the client is: by its header, if its peer is one that sends
 * them. Then let it in, or turn it away. The session may be gone afterwards.
 */
void	session_meet(struct session_table *, struct session *);
void	session_header_event(struct session_table *, struct session *);
void	session_header_expired(struct session_table *, struct session *);
/* Forget what the header said; harmless when there was none. */
void	session_drop_note(struct session_table *, struct session *);
/*
 * An attempt begins: is there a header to be sent, or the rest of one? Nothing
 * else may go before it.
 */
void	session_header_begin(const struct session_table *, struct session *);
bool	session_header_due(const struct session *);
/* What it consists of, and that *n* bytes of these *len* have gone. */
size_t	session_header_make(const struct session_table *,
	    const struct session *, unsigned char out[PROXYPROTO_MAX]);
void	session_header_went(struct session *, size_t len, size_t n);
/* Send what is left of it: SHUTTLE_GOING, even if it is still due. */
enum shuttle_result session_header_send(const struct session_table *,
	    struct session *);

/* session_access.c */
/*
 * Now that it is known who the client is, let it in or turn it away; and count
 * it out, if it was in. The session may be gone after the first.
 */
void	session_admit(struct session_table *, struct session *);
void	session_leave(struct session_table *, struct session *);
/* It may not come in: end it as its listener wants that to be seen. */
void	session_refuse(struct session_table *, struct session *,
	    enum session_end);

/* session_limits.c */
/* Count it in; if not END_NONE, why not: then it is counted nowhere. */
enum session_end session_count_in(struct session_table *, struct session *);
void	session_count_out(struct session_table *, struct session *);

/* session_park.c */
/*
 * Before a count refuses it: have session_admit() or session_pick() look again
 * in some ms. False: that was often enough, or too many are parked.
 */
bool	session_park(struct session_table *, struct session *);
/* It leaves PARKED, whatever comes next; harmless in other states. */
void	session_unpark(struct session_table *, const struct session *);
uint64_t session_parked_at(const struct session_table *,
	    const struct session *);
void	session_parked_expired(struct session_table *, struct session *);

/* session_connect.c */
void	session_pick(struct session_table *, struct session *);
void	session_connect_event(struct session_table *, struct session *,
	    unsigned ready);
void	session_connect_failed(struct session_table *, struct session *,
	    int err);
void	session_linger_event(struct session_table *, struct session *);
/*
 * Choose a backend and take a place on it. -1 with EAGAIN: wait for one; with
 * EHOSTDOWN: there is none, or enough were tried.
 */
int	session_choose(struct session_table *, struct session *);
/* Try this backend, then others; -1: what errno says of session_choose(). */
void	session_try(struct session_table *, struct session *, int backend);
/* Nobody serves it. */
void	session_turn_away(struct session_table *, struct session *,
	    enum session_end);

/* session_stall.c */
/* A number that changes with everything that a session does. */
uint64_t session_progress(const struct session *);
/*
 * An event of this side has not changed it. Too many of them in a row: leave the
 * descriptor alone for some time; the session may be gone afterwards.
 */
void	session_in_vain(struct session_table *, struct session *, int side);
/* When to look again, 0: none is left alone; and it has come. */
uint64_t session_muted_until(const struct session_table *,
	    const struct session *);
void	session_unmute(struct session_table *, struct session *);

/* Until when a server has to have been reached, 0: no such time; it has come. */
uint64_t session_total_at(const struct session_table *,
	    const struct session *);
void	session_total_expired(struct session_table *, struct session *);

/* session_queue.c */
/*
 * No server of the pool is left that it could try: wait until there is one. False:
 * that is not wanted, or others serve. The session may be gone after true.
 */
bool	session_await_server(struct session_table *, struct session *);
/* It gives up the place that it keeps while it tries, if any: it has a *server*. */
void	session_settle(struct session_table *, struct session *, bool server);
uint64_t session_queue_at(const struct session_table *,
	    const struct session *);
void	session_queue(struct session_table *, struct session *);
/* What it is to end for, having waited: *why*, unless something was lacking. */
enum session_end session_waited_for(const struct session *,
	    enum session_end why);
void	session_queue_expired(struct session_table *, struct session *);
void	session_leave_queue(struct session_table *, struct session *);

/* session_relay.c */
void	session_relay_event(struct session_table *, struct session *,
	    int side, unsigned ready);
/* Both ways have ended: close, or pass a reset on when its turn has come. */
void	session_relay_done(struct session_table *, struct session *);
void	session_side_failed(struct session_table *, struct session *,
	    int side, int err);
/* After bytes went to the server: let no later ones wait for its answer. */
void	session_send_promptly(struct session *);
/* Is this error of a connection that had stood? */
bool	session_had_stood(int err);
/* The side that a reset is to be passed on to, or NOBODY. */
int	session_due_reset(const struct session *);
/* Is what comes this way read and thrown away? */
bool	session_discards(const struct session *, int way);

#endif
