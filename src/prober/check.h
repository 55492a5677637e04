/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * check.h: one check in progress: a connection to a server, or to the runner of
 * a program. It knows neither schedule nor clock; check_schedule.c calls it
 * when its descriptor is ready and when its time is over.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"
#include "net/egress.h"
#include "upstream/check_exchange.h"

enum check_state {
	CHECK_IDLE,
	CHECK_WAITING,			/* queue full: connect again later */
	CHECK_CONNECTING,
	CHECK_TALKING,
	CHECK_RUNNING,			/* a program, see check_runner.h */
	CHECK_CLOSING			/* the verdict is known */
};

struct check {
	enum check_state state;
	int		 fd;
	const struct check_exchange *exchange;
	bool		 tls;		/* needs close_notify at the end */
	size_t		 sent, request;	/* bytes of out */
	size_t		 got;		/* bytes of reply, then dropped ones */
	unsigned	 looks;		/* reads of the reply */
	char		 why[CHECK_EXCHANGE_WHY]; /* reason of the verdict */
	char		 out[CHECK_EXCHANGE_SEND];
	char		 reply[CHECK_EXCHANGE_REPLY + 1];
};

/*
 * Begin a check: of the server at *to*, from the first source address of the
 * egress, with a PROXY header of this version (0: none); or of a program whose
 * answer arrives on *fd*, which the check owns from now on. -1 with errno:
 * descriptors, memory or ports are lacking on this machine. CHECK_WAITING if
 * the queue of a unix socket is full: begin again until its time is over.
 */
int	check_connect(struct check *, const struct check_exchange *, bool tls,
	    unsigned proxy, const struct egress *, const struct addr *to,
	    enum verdict *);
void	check_run(struct check *, int fd);

/* Continues when its descriptor is ready. */
enum verdict check_act(struct check *);

/* The events it waits for (POLLER_READ, POLLER_WRITE). */
unsigned check_interest(const struct check *);

/* Fails the check after *ms*; the reason names what was missing. */
void	check_late(struct check *, uint64_t ms);

/*
 * Ends the connection after the verdict, so that the server sees an orderly end
 * of file and no error. True: not finished, call check_close() when the
 * descriptor is ready. False: call check_abandon().
 */
bool	check_end(struct check *);
bool	check_close(struct check *);

/* Closes at once in any state; call poller_forget() before. */
void	check_abandon(struct check *);

#endif
