/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * outcome.h: a small file beside the pidfile that says what became of the last
 * start, reload or upgrade, for scripts that wait for one: /run/x.pid has
 * /run/x.status. Lines are NAME VALUE:
 *
 *	pid 4710
 *	version 0.1.0
 *	generation 3
 *	changes 2		begun by this process, the start excluded
 *	last reload		or start, upgrade
 *	result ok		or running, failed
 *	message reload: ...	errors that were logged meanwhile, in order
 */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "log/log.h"
#include "master/runtime_files.h"
#include "sys/safe_file.h"

struct outcome {
	char		 path[1024];	/* "": no pidfile, no status file */
	struct file_id	 id;
	const char	*last;		/* start, reload, …; NULL: none yet */
	bool		 running;
	unsigned	 changes;
	char		 messages[2048];
};

/* This process starts, alone or in the place of another. */
void	outcome_start(struct outcome *, struct log *,
	    const struct runtime_files *);

/* *what* has begun; from now on errors in the log are collected. */
void	outcome_begin(struct outcome *, struct log *, const char *what,
	    uint32_t generation);

/* It has ended, successfully or not. Does nothing if none has begun. */
void	outcome_end(struct outcome *, struct log *, bool good,
	    uint32_t generation);

/* Another master writes the file from now on; or none does. */
void	outcome_leave(struct outcome *, struct log *);
void	outcome_remove(struct outcome *);

#endif
