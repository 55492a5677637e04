/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* explain.h: the effective configuration, for -T. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <stdio.h>

#include "config/conf.h"

/*
 * Prints all settings in the grammar of a configuration file, each line with
 * its origin; then, as comments, what the configuration needs of the system if
 * each worker may have this many descriptors.
 */
void	explain_conf(const struct conf *, size_t descriptors, FILE *);

#endif
