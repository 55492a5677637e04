/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * pidfile.h: one instance for each pidfile: the one that has locked it. The
 * file is replaced in one step, so that a reader sees a whole number.
 */
#ifndef PIDFILE_H
#define PIDFILE_H

#include <sys/types.h>

#include <stdbool.h>

#include "sys/safe_file.h"

struct pidfile {
	int		fd;		/* locked; -1: not held */
	struct file_id	id;		/* the locked file */
	struct file_id	published;	/* the file written by this process */
	bool		ours;		/* remove: created or published here */
};

/*
 * Locks it, and creates it if it is missing. 0, or -1 with errno: EWOULDBLOCK
 * with the process in *other* (0: unknown) if another one holds it; else as in
 * safe_file.h.
 */
int	pidfile_lock(struct pidfile *, const char *path, pid_t *other);

/*
 * Writes this process's id, unless the file written before is there. 0, or -1
 * with errno; the lock stays.
 */
int	pidfile_publish(struct pidfile *, const char *path);

/*
 * Give up the lock and leave the file; or remove it first, if it is this
 * process's.
 */
void	pidfile_release(struct pidfile *);
void	pidfile_withdraw(struct pidfile *, const char *path);

#endif
