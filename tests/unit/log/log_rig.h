/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * log_rig.h: what the tests of logs share: a directory with a log in it, and what
 * stands there.
 */
#ifndef LOG_RIG_H
#define LOG_RIG_H

#include "log/log.h"

#include "helpers.h"

static char	dir[64], path[80];
static char	text[1 << 20];		/* a whole log */

static inline int
make_log_dir(void)
{
	make_dir(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	return 0;
}

int
tear_down(void)
{
	remove_dir(dir);
	return 0;
}

static inline const char *
slurp(const char *file)
{
	int fd = open(file, O_RDONLY);

	if (fd == -1)
		return "(no file)";
	read_text(fd, text, sizeof(text));
	close(fd);
	return text;
}

static inline struct log *
open_log(int level)
{
	struct log *l = log_open(path, level);

	assert_non_null(l);
	return l;
}

/* A line put aside, as a session would. */
static inline void __attribute__((__format__(__printf__, 3, 4)))
gather(struct log *l, int level, const char *fmt, ...)
{
	char line[3000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (!log_wants(l, level))
		return;
	text_string(log_begin(l, level), line);
	log_end(l);
}

#endif
