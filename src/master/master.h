/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * master.h: the process that owns the sockets and the workers, and never reads
 * a byte from the network.
 */
#ifndef MASTER_H
#define MASTER_H

#include "board/board.h"
#include "config/conf.h"
#include "log/log.h"
#include "master/runtime_files.h"

/*
 * Forks the workers, publishes the instance once they accept, reports that to
 * the shell (daemonize_report()), and keeps them running until told to stop.
 * Returns an exit status of sysexits(3). *board_fd* is the descriptor that
 * passes the board on.
 */
int	master_run(struct conf *, struct board *, int board_fd, struct log *,
	    struct runtime_files *, int *report);

#endif
