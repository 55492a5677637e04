/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * poller.h: which descriptors are ready. The only interface to select(2) and
 * epoll(7). An engine is one constant struct of functions.
 *
 * Readiness is level-triggered. An error or end of file is reported as
 * POLLER_READ or POLLER_WRITE, whichever is wanted. After poller_forget() no
 * event of that descriptor is reported any more, not even one that
 * poller_wait() has already found, so its number can be reused at once.
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

/* The engine called *name*, or NULL. */
const struct poller_engine *poller_engine(const char *name);
/* The names of all engines, separated by ", ". */
const char *poller_engines(void);

/* For descriptors below *limit*. NULL with errno set. */
struct poller *poller_new(const struct poller_engine *, size_t limit);
void	poller_free(struct poller *);

/* Sets the events wanted of *fd* from now on; 0: none for now. */
void	poller_want(struct poller *, int fd, unsigned interest);

/*
 * Starts or stops watching a listening socket that is shared with other
 * processes. Where the system can, a connection wakes only one sleeping
 * process. Call it again after accept(): this process then moves to the end of
 * the queue.
 */
void	poller_share(struct poller *, int fd, bool on);

/* Call it when *fd* is about to be closed, and only then. */
void	poller_forget(struct poller *, int fd);

/* Removes a descriptor that stays open, whichever part uses it. */
void	poller_drop(struct poller *, int fd);

/*
 * Waits up to *ms* milliseconds. Returns 1 if an event is ready, else 0; -1
 * with errno set, never EINTR. A temporary lack of kernel memory causes a short
 * pause and 0, and sets poller_failed().
 */
int	poller_wait(struct poller *, int ms);

/* True if a wait has failed for lack of memory since the last call. */
static inline bool
poller_failed(struct poller *p)
{
	bool failed = p->failed;

	p->failed = false;
	return failed;
}

/*
 * True if the other end has ended this connection, even if unread bytes remain.
 * Never waits, and works on any descriptor.
 */
bool	poller_hung_up(int fd);

/*
 * Fetches the next event found by poller_wait(). 1, or 0 if there are no more.
 */
int	poller_next(struct poller *, struct poller_event *);

#endif
