/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * processors.h: the processors that this process may run on.
 */
#ifndef PROCESSORS_H
#define PROCESSORS_H

/* The number of processors that this process may run on, at least 1. */
unsigned processors_count(void);

/* Binds this process to processor *i* (modulo their number). 0 or -1. */
int	processors_pin(unsigned i);

#endif
