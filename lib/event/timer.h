/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * timer.h: one deadline for each of a fixed number of ids, in milliseconds of
 * clock_now_ms(). A hashed timing wheel (Varghese and Lauck 1987, scheme 6), and a
 * slower one for what is further away (scheme 7): setting and clearing cost the
 * same however many there are, and nobody is woken for timers far away. Deadlines
 * are rounded up to the next TIMER_TICK; none fires early.
 */
#ifndef TIMER_H
#define TIMER_H

#include <stddef.h>
#include <stdint.h>

#define TIMER_TICK	8		/* ms */
#define TIMER_NONE	UINT32_MAX

struct timers;

/* For the ids 0 … n-1, none set. NULL with ENOMEM. */
struct timers *timer_new(size_t n, uint64_t now);
void	timer_free(struct timers *);

/* Set or move the deadline of *id*. */
void	timer_set(struct timers *, uint32_t id, uint64_t at);
/* Harmless when it is not set. */
void	timer_clear(struct timers *, uint32_t id);

/*
 * How long to wait at most, in ms, until timer_expired() has something to do;
 * never more than *limit*. May be early, never late by more than a tick.
 */
int	timer_wait(const struct timers *, uint64_t now, int limit);

/*
 * Take one id whose deadline has passed and clear it; TIMER_NONE when there is
 * none left. The wheel turns here, so call it until it says TIMER_NONE.
 */
uint32_t timer_expired(struct timers *, uint64_t now);

#endif
