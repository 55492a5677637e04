/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * title.c: the title of a process, as ps shows it.
 */
#include "process/title.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void
title_set(const struct conf *c, const char *fmt, ...)
{
	char title[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(title, sizeof(title), fmt, ap);
	va_end(ap);
	setproctitle("%s%s%s", c->name, c->name[0] == '\0' ? "" : ": ", title);
}
