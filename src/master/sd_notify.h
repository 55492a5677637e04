/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * sd_notify.h: what the service manager that started us is told: see sd_notify(3).
 * Without one, nothing is done. Nothing here fails: the service runs as well
 * when nobody listens. For the master, or the only process.
 */
#ifndef SD_NOTIFY_H
#define SD_NOTIFY_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

struct notify {
	bool		 there;		/* somebody listens */
	uint64_t	 watchdog;	/* ms of silence it bears; 0: any */
	uint64_t	 beat;		/* ms from one sign of life to the next */
	uint64_t	 beat_at;	/* clock_now_ms() of it */
	uint64_t	 status_at;	/* likewise */
	char		 status[256];	/* as told last */
};

/* What does it want of us? All zero is a manager that is not there. */
void	notify_init(struct notify *);

/*
 * All stands, at the start and after a reload; before the first time it is told
 * nothing. The status is one line for operators.
 */
void	notify_ready(struct notify *, const char *status);

/* A reload begins; notify_ready() ends it. */
void	notify_reloading(const struct notify *);

/* From here on it goes down. */
void	notify_stopping(struct notify *, const char *status);

/*
 * The master is another process now. Returns a descriptor that is ready when the
 * manager listens to that one, to be closed by the caller; -1: none does.
 */
int	notify_main_pid(pid_t);

/*
 * In the child of a fork that is about to become this other master: it is for it
 * to give signs of life.
 */
void	notify_leave(void);

/* Is it time to tell the status again? notify_soon(): now it is. */
bool	notify_status_due(const struct notify *);
void	notify_soon(struct notify *);
void	notify_status(struct notify *, const char *status);

/*
 * Give a sign of life if it is time for one; to be called as often as
 * notify_wait() says. True: one was given.
 */
bool	notify_alive(struct notify *);

/* Milliseconds until one of the two is due; -1: never. */
int	notify_wait(const struct notify *);

#endif
