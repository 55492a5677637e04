/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * check.h: one check under way: a connection to a server, or to the program that
 * is asked instead. It knows neither schedule nor clock; check_schedule.c calls it when
 * its descriptor is ready and when its time is over.
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
	CHECK_WAITING,			/* for room, to connect again */
	CHECK_CONNECTING,
	CHECK_TALKING,
	CHECK_RUNNING,			/* a program, see check_runner.h */
	CHECK_CLOSING			/* the verdict is known */
};

struct check {
	enum check_state state;
	int		 fd;
	const struct check_exchange *exchange;
	bool		 tls;		/* is told that we go */
	size_t		 sent, request;	/* bytes of out */
	size_t		 got;		/* bytes of reply; then dropped */
	unsigned	 looks;		/* at the reply */
	char		 why[CHECK_EXCHANGE_WHY];	/* of the verdict */
	char		 out[CHECK_EXCHANGE_SEND];
	char		 reply[CHECK_EXCHANGE_REPLY + 1];
};

/*
 * Begin. The server at *to*, from the first source of the outlet, with a header
 * of the PROXY protocol of this version or 0; a program that answers on *fd*,
 * which is the check's from now on. -1: it is for a want of our own that it could
 * not begin, errno says of what. While the queue of a unix socket is full it waits:
 * begin again until its time is over.
 */
int	check_connect(struct check *, const struct check_exchange *, bool tls,
	    unsigned proxy, const struct egress *, const struct addr *to,
	    enum verdict *);
void	check_run(struct check *, int fd);

/* Its descriptor is ready. */
enum verdict check_act(struct check *);

/* What it waits for (POLLER_READ, POLLER_WRITE). */
unsigned check_interest(const struct check *);

/* Nothing came in time: say for what it waited. */
void	check_late(struct check *, uint64_t ms);

/*
 * The verdict is known: end the connection so that the server sees an orderly
 * end of file and no error. True: that takes a moment, go on with check_close()
 * when the descriptor is ready. False: check_abandon() it.
 */
bool	check_end(struct check *);
bool	check_close(struct check *);

/* Close at once whatever there is; poller_forget() comes before. */
void	check_abandon(struct check *);

#endif
