/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * poller.h: which descriptors are ready. The only place that knows select(2)
 * and its kin. An engine is one constant struct of functions.
 *
 * Readiness is level-triggered. An error or end of file is reported as
 * POLLER_READ, if that is wanted, and as POLLER_WRITE, if that is.
 * Once poller_forget() has been called for a descriptor no event for it is
 * given out any more, not even one that poller_wait() has found already: its
 * number can be used again at once.
 */
#ifndef POLLER_H
#define POLLER_H

#include <stdbool.h>
#include <stddef.h>

#define POLLER_READ	1u
#define POLLER_WRITE	2u
#define POLLER_URGENT	4u		/* TCP's urgent byte, or its like */

struct poller;

struct poller_event {
	int		fd;
	unsigned	ready;		/* POLLER_READ | … */
};

struct poller_engine {
	const char	*name;
	struct poller	*(*create)(size_t);
	void		 (*destroy)(struct poller *);
	void		 (*want)(struct poller *, int, unsigned);
	void		 (*share)(struct poller *, int, bool);
	void		 (*forget)(struct poller *, int);
	int		 (*wait)(struct poller *, int);
	int		 (*next)(struct poller *, struct poller_event *);
};

/* Every engine begins with this. */
struct poller {
	const struct poller_engine *engine;
	bool		failed;		/* see poller_failed() */
};

/* The engine called *name*, NULL if there is none. */
const struct poller_engine *poller_engine(const char *name);
/* The names of all, separated by ", ". */
const char *poller_engines(void);

/* For descriptors below *limit*. NULL with errno set. */
struct poller *poller_new(const struct poller_engine *, size_t limit);
void	poller_free(struct poller *);

/* Say what is wanted of *fd* from now on; 0: nothing for the time being. */
void	poller_want(struct poller *, int fd, unsigned interest);

/*
 * Watch a listening socket that other processes watch as well, or stop doing so.
 * Where the system can, a connection wakes only one of those that sleep. Call
 * it again after accepting: who was served goes to the back of the queue.
 */
void	poller_share(struct poller *, int fd, bool on);

/* To be called when *fd* is about to be closed, and only then. */
void	poller_forget(struct poller *, int fd);

/* Forget a descriptor that stays open, whoever it belongs to. */
void	poller_drop(struct poller *, int fd);

/*
 * Wait up to *ms* milliseconds. Returns whether anything is ready, 1 or 0, or -1
 * with errno set; never EINTR. Where the system has no memory for it that passes:
 * a short pause, 0, and poller_failed() says so.
 */
int	poller_wait(struct poller *, int ms);

/* Has a wait failed for want of memory since this was asked last? */
static inline bool
poller_failed(struct poller *p)
{
	bool failed = p->failed;

	p->failed = false;
	return failed;
}

/*
 * Has the other end of this connection ended it, whatever it sent before? Does
 * not wait, and asks of any descriptor.
 */
bool	poller_hung_up(int fd);

/* The next event found by poller_wait(). 1, or 0 when there are no more. */
int	poller_next(struct poller *, struct poller_event *);

#endif
