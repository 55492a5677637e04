/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * diagnostics.h: the mistakes in a configuration, a line each. The caller
 * decides where they go: to the terminal at a start, to the log in a reload.
 */
#ifndef DIAGNOSTICS_H
#define DIAGNOSTICS_H

#include <stddef.h>

#define DIAGNOSTICS_MAX	100

/* All zero is an empty list. */
struct diagnostics {
	char	*line[DIAGNOSTICS_MAX];
	size_t	 n;			/* lines present */
	size_t	 all;			/* lines added */
	size_t	 of_files;		/* of these, about a file */
};

/*
 * Adds one line, without a newline. Beyond DIAGNOSTICS_MAX, or out of memory,
 * it is only counted.
 */
void	diagnostics_add(struct diagnostics *, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 2, 3)));

/* Leaves the list empty. */
void	diagnostics_free(struct diagnostics *);

#endif
