/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * diagnostics.c: keeps lines in the order in which they are added. Never
 * prints.
 */
#include "config/diagnostics.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
diagnostics_add(struct diagnostics *cs, const char *fmt, ...)
{
	va_list ap;
	char *line;

	cs->all++;
	if (cs->n == DIAGNOSTICS_MAX)
		return;
	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) != -1)
		cs->line[cs->n++] = line;
	va_end(ap);
}

void
diagnostics_free(struct diagnostics *cs)
{
	size_t i;

	for (i = 0; i < cs->n; i++)
		free(cs->line[i]);
	memset(cs, 0, sizeof(*cs));
}
