/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_text.h: a configuration file with all that it includes in its place, as
 * one text, and where each line of it stands.
 */
#ifndef CONF_TEXT_H
#define CONF_TEXT_H

#include <stddef.h>

#include "config/settings.h"

struct conf_text {
	char		*text;		/* with a NUL behind it; NULL: empty */
	size_t		 len, room;
	unsigned	 line;		/* the last one, from 1 */
	struct conf_span *span;
	size_t		 spans;
};

/* What comes from here on stands there. 0, or -1 with ENOMEM. */
int	conf_text_from(struct conf_text *, const char *file, unsigned line);

/* Add so many bytes, or begin a new line if that is needed. Likewise. */
int	conf_text_add(struct conf_text *, const char *bytes, size_t n);
int	conf_text_end_line(struct conf_text *);

/* Where this line stands. */
struct place conf_text_place(const struct conf_text *, unsigned line);

void	conf_text_free(struct conf_text *);

#endif
