/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * upgrade.h: from one program to the next without losing a connection. The
 * master before starts the one after, with its sockets and its board, by the
 * command line that it was started by itself; when that one's workers could accept,
 * the pidfile changes hands.
 */
#ifndef UPGRADE_H
#define UPGRADE_H

#include <sys/types.h>

#include "children.h"

/*
 * The master before: start the program again and wait, for *ms* at most, until it
 * serves. Its pid, or -1: it came to nothing, the log says why, and everything
 * is as before. Otherwise the files are the other's, the listeners closed: what
 * is left to do is to drain.
 */
pid_t	upgrade(struct children *, int ms);

/*
 * The master after, whose workers could accept: have the other let go of the pidfile.
 * 0, or -1: it is gone, or too slow. When that and all else is done, say so.
 */
int	upgrade_take_over(int channel);
void	upgrade_done(int channel);

#endif
