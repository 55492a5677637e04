/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * title.h: what a process is called in a list of processes.
 */
#ifndef TITLE_H
#define TITLE_H

#include "config/conf.h"

/* The title of this process, with the name of the instance before it. */
void	title_set(const struct conf *, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 2, 3)));

#endif
