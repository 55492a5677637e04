/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * pidfile.h: one instance for each pidfile: the one that has locked it. Its file
 * is replaced at once, so that a reader sees a whole number.
 */
#ifndef PIDFILE_H
#define PIDFILE_H

#include <sys/types.h>

#include <stdbool.h>

#include "sys/safe_file.h"

struct pidfile {
	int		fd;		/* locked; -1: not ours */
	struct file_id	id;		/* of what is locked */
	struct file_id	published;	/* what we have put there */
	bool		ours;		/* to remove: made or published by us */
};

/*
 * Lock it, and make it if it is not there. 0, or -1 with errno: EWOULDBLOCK with
 * the process in *other* (0: unknown) when another one has it; else as in
 * safe_file.h.
 */
int	pidfile_lock(struct pidfile *, const char *path, pid_t *other);

/*
 * Write our process id, unless what we wrote before is there. 0, or -1 with errno;
 * the lock stays.
 */
int	pidfile_publish(struct pidfile *, const char *path);

/* Let go of the lock and leave the file, or remove the file first if it is ours. */
void	pidfile_release(struct pidfile *);
void	pidfile_withdraw(struct pidfile *, const char *path);

#endif
