/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* daemonize.h: leaves the terminal once the shell knows the outcome. */
#ifndef DAEMONIZE_H
#define DAEMONIZE_H

/*
 * Opens /dev/null for each closed one of standard input, output and error. Call
 * it first of all. 0, or -1 with errno set.
 */
int	daemonize_fill_standard(void);

/*
 * Continues in a child in its own session. The parent waits for
 * daemonize_report() and exits with its status. Returns, in the child only, the
 * descriptor to report to; -1 with errno set.
 */
int	daemonize_start(void);

/*
 * Reports the status to the waiting parent, closes *fd and sets it to -1; does
 * nothing if it is -1. With status 0 also calls daemonize_detach(). Report a
 * failure last, after all clean-up.
 */
void	daemonize_report(int *fd, int status);

/* Redirects standard input, output and error to /dev/null. */
void	daemonize_detach(void);

#endif
