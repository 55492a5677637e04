/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * sd_notify.h: messages to the service manager that started this process: see
 * sd_notify(3). Without a manager nothing happens. No function fails: the
 * service runs as well without a listener. For the master, or the only process.
 */
#ifndef SD_NOTIFY_H
#define SD_NOTIFY_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

struct notify {
	bool		 there;		/* a service manager listens */
	uint64_t	 watchdog;	/* ms of silence allowed; 0: any */
	uint64_t	 beat;		/* ms between signs of life */
	uint64_t	 beat_at;	/* clock_now_ms() of the next */
	uint64_t	 status_at;	/* likewise */
	char		 status[256];	/* as sent last */
};

/* Reads the requests of the manager. All zero means that there is none. */
void	notify_init(struct notify *);

/*
 * Everything is ready, at the start and after a reload; nothing is sent before
 * the first call. The status is one line for operators.
 */
void	notify_ready(struct notify *, const char *status);

/* A reload begins; notify_ready() ends it. */
void	notify_reloading(const struct notify *);

/* From here on the service stops. */
void	notify_stopping(struct notify *, const char *status);

/*
 * Another process is the master now. Returns a descriptor that is ready when
 * the manager accepts that process, to be closed by the caller; -1: there is no
 * manager.
 */
int	notify_main_pid(pid_t);

/*
 * In the child of a fork that is about to become the other master, which gives
 * its own signs of life.
 */
void	notify_leave(void);

/* True if the status is due; notify_soon() makes it due. */
bool	notify_status_due(const struct notify *);
void	notify_soon(struct notify *);
void	notify_status(struct notify *, const char *status);

/*
 * Gives a sign of life if one is due; call it as notify_wait() says. True: one
 * was given.
 */
bool	notify_alive(struct notify *);

/* The time in ms until one of the two is due; -1: never. */
int	notify_wait(const struct notify *);

#endif
