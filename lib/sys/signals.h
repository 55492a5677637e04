/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * signals.h: signals as readable descriptors: no handler, no race.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>

/*
 * Hold back the signals that operators send to a service, and CHLD: they wait
 * until somebody asks for them. They are returned in *set*.
 */
void	signals_hold(sigset_t *set);

/*
 * Hold back *set* and return a descriptor that is readable when one of them has
 * come; signals_next() then gives them one by one, 0: no more.
 */
int	signals_open(const sigset_t *set);
int	signals_next(int fd);

/* Wait until one has come, for so many ms at most; -1: without a limit. */
void	signals_wait(int fd, int ms);

#endif
