/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * check_runner.h: runs the programs of checks, for a prober that is shut in and could
 * not. It is forked before that, reads nothing of the network, and takes no
 * order but the number of a server: what is run stands in its configuration.
 */
#ifndef CHECK_RUNNER_H
#define CHECK_RUNNER_H

#include <stdint.h>

#include "upstream/server.h"

#define CHECK_RUNNER_LINE	120

struct conf;

struct check_runner {
	int	 fd;			/* it ends when this is closed */
};

struct check_runner_answer {
	int32_t	 signalled;		/* status is a signal, no exit code */
	int32_t	 status;
	char	 line[CHECK_RUNNER_LINE];	/* the first that was written */
};

/* Fork it. -1 with errno set. */
int	check_runner_start(struct check_runner *, const struct conf *,
	    const struct servers *);

/*
 * Have the program run for this server. Returns a descriptor, not blocking, on
 * which the answer comes as one message, or end of file when there is none. When
 * it is closed before, the program and its process group are killed. -1 with
 * errno set: EPIPE when the runner is gone.
 */
int	check_runner_ask(const struct check_runner *, uint32_t server);

#endif
