/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * diagnostics.h: what is wrong with a configuration, a line each. Whoever asked
 * for it decides where they go: to the terminal at a start, to the log when a
 * running service is told to reload.
 */
#ifndef DIAGNOSTICS_H
#define DIAGNOSTICS_H

#include <stddef.h>

#define DIAGNOSTICS_MAX	100

/* All zero is an empty list. */
struct diagnostics {
	char	*line[DIAGNOSTICS_MAX];
	size_t	 n;			/* these are there */
	size_t	 all;			/* so many were made */
	size_t	 of_files;		/* of these, about a file */
};

/*
 * Add one line, without a newline. Beyond DIAGNOSTICS_MAX, or for want of
 * memory, it is only counted.
 */
void	diagnostics_add(struct diagnostics *, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 2, 3)));

/* The list is empty then. */
void	diagnostics_free(struct diagnostics *);

#endif
