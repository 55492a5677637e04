/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * daemonize.h: leave the terminal, but not before the shell knows the outcome.
 */
#ifndef DAEMONIZE_H
#define DAEMONIZE_H

/*
 * Open those of standard input, output and error that are closed on /dev/null.
 * To be called first of all. 0, or -1 with errno set.
 */
int	daemonize_fill_standard(void);

/*
 * Continue in a child of its own session. The parent waits for
 * daemonize_report() and exits with the status given there. Returns the
 * descriptor to report to, in the child only; -1 with errno set.
 */
int	daemonize_start(void);

/*
 * Tell the waiting parent how it went, close *fd and set it to -1; nothing is
 * done when it is -1. With status 0 also daemonize_detach(). A failure is to be
 * told last of all, when everything is cleaned up.
 */
void	daemonize_report(int *fd, int status);

/* Lead standard input, output and error to /dev/null. */
void	daemonize_detach(void);

#endif
