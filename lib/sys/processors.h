/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * processors.h: the processors that this process may run on.
 */
#ifndef PROCESSORS_H
#define PROCESSORS_H

/* The processors this process may run on, at least 1. */
unsigned processors_count(void);

/* Run on one of them only, number *i* from 0, counted round and round. */
int	processors_pin(unsigned i);

#endif
