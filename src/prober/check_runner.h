/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * check_runner.h: runs the programs of checks for the prober, which is confined
 * and cannot. It is forked before that, reads nothing from the network, and
 * accepts only the number of a server: the command is in its configuration.
 */
#ifndef CHECK_RUNNER_H
#define CHECK_RUNNER_H

#include <stdint.h>

#include "upstream/server.h"

#define CHECK_RUNNER_LINE	120

struct conf;

struct check_runner {
	int	 fd;			/* closing it ends the runner */
};

struct check_runner_answer {
	int32_t	 signalled;		/* status is a signal, not a code */
	int32_t	 status;
	char	 line[CHECK_RUNNER_LINE];	/* first line of output */
};

/* Forks it. -1 with errno set. */
int	check_runner_start(struct check_runner *, const struct conf *,
	    const struct servers *);

/*
 * Runs the program of this server. Returns a non-blocking descriptor with the
 * answer as one message, or end of file if the program could not be run.
 * Closing it kills the program and its process group. -1 with errno set: EPIPE
 * if the runner has ended.
 */
int	check_runner_ask(const struct check_runner *, uint32_t server);

#endif
