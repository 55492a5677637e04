/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * timer.h: one deadline for each of a fixed number of ids, in milliseconds of
 * clock_now_ms(). A hashed timing wheel (Varghese and Lauck 1987, scheme 6)
 * with a slower one for distant deadlines (scheme 7): the cost of setting and
 * clearing does not depend on their number, and a distant timer causes no
 * wakeups. Deadlines are rounded up to the next TIMER_TICK; none fires early.
 */
#ifndef TIMER_H
#define TIMER_H

#include <stddef.h>
#include <stdint.h>

#define TIMER_TICK	8		/* ms */
#define TIMER_NONE	UINT32_MAX

struct timers;

/* For the ids 0 … n-1, all unset. NULL with ENOMEM. */
struct timers *timer_new(size_t n, uint64_t now);
void	timer_free(struct timers *);

/* Sets or moves the deadline of *id*. */
void	timer_set(struct timers *, uint32_t id, uint64_t at);
/* Clears it; harmless if it is not set. */
void	timer_clear(struct timers *, uint32_t id);

/*
 * The time in ms until timer_expired() has work, at most *limit*. May be
 * early, never late by more than a tick.
 */
int	timer_wait(const struct timers *, uint64_t now, int limit);

/*
 * Takes and clears one id whose deadline has passed; TIMER_NONE if there is
 * none left. The wheel turns here, so call it until it returns TIMER_NONE.
 */
uint32_t timer_expired(struct timers *, uint64_t now);

#endif
