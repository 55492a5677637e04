/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * explain.h: a configuration as it is in the end, for -T.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <stdio.h>

#include "config/conf.h"

/*
 * Print all that is set in the grammar of a configuration file, each line with
 * where it comes from, then as comments what it needs of the system when each
 * worker may have so many descriptors.
 */
void	explain_conf(const struct conf *, size_t descriptors, FILE *);

#endif
