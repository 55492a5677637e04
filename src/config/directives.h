/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * directives.h: all that can be set, in one table. The parser, -T, the tests
 * and, by a test, the man page go by it. A new directive is a line in
 * directives.c, with a function where its type does not say what to do with it,
 * a paragraph in doc/shuttled.yaml.5, and contrib/schema/shuttled.schema.json
 * made anew, as tests/schema.sh says.
 */
#ifndef DIRECTIVES_H
#define DIRECTIVES_H

#include <stddef.h>

#include "config/directive_types.h"

const struct directive *directives(size_t *n);

/* The one of this name in such a section, NULL if there is none. */
const struct directive *directive_find(enum section_kind, const char *name);

/* Whose value it has unless it is given one; NULL: it has its own default. */
const struct directive *directive_inherits(const struct directive *);

/* Read all defaults of such a section. */
void	directives_default(enum section_kind, void *to);

/* "listen", "pool", "server", as files have it. */
const char *section_word(enum section_kind);

#endif
