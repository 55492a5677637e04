/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * clock.h: the monotonic clock.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* Monotonic clock in milliseconds, and in microseconds. */
uint64_t clock_now_ms(void);
uint64_t clock_now_us(void);

/*
 * The same clock in milliseconds as of the kernel's last tick, which is up to
 * 10 ms old; it costs a quarter of clock_now_ms().
 */
uint64_t clock_tick_ms(void);

#endif
