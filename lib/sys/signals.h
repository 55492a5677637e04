/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * signals.h: signals as readable descriptors: no handler, no race.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>

/*
 * Blocks SIGCHLD and the signals that operators send to a service; they stay
 * pending until they are read. Returns them in *set*.
 */
void	signals_hold(sigset_t *set);

/*
 * signals_open() blocks *set* and returns a descriptor that is readable while
 * one of them is pending; signals_next() returns them one by one, 0 if there
 * are no more.
 */
int	signals_open(const sigset_t *set);
int	signals_next(int fd);

/* Waits for a signal, at most *ms*; -1: without a limit. */
void	signals_wait(int fd, int ms);

#endif
