/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* title.h: the title of a process in a list of processes. */
#ifndef TITLE_H
#define TITLE_H

#include "config/conf.h"

/* Sets the title of this process, after the name of the instance. */
void	title_set(const struct conf *, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 2, 3)));

#endif
