/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * counter.h: numbers that one process or thread writes and others read at any
 * time. An addition uses no locked instruction, so a second writer would lose
 * increments.
 */
#ifndef COUNTER_H
#define COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

/* Adds to a counter of which the caller is the only writer. */
static inline void
counter_add(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c,
	    memory_order_relaxed) + n, memory_order_relaxed);
}

/* The same for a number that goes up and down. */
static inline void
gauge_add(_Atomic uint32_t *g, int32_t n)
{
	atomic_store_explicit(g, atomic_load_explicit(g,
	    memory_order_relaxed) + (uint32_t)n, memory_order_relaxed);
}

#endif
