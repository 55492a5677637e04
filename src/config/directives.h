/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * directives.h: all directives, in one table. The parser, -T, the tests and,
 * checked by a test, the man page use it. A new directive is a line in
 * directives.c, with a reader if its type is not enough, a paragraph in
 * doc/shuttled.yaml.5, and a new contrib/schema/shuttled.schema.json, see
 * tests/schema.sh.
 */
#ifndef DIRECTIVES_H
#define DIRECTIVES_H

#include <stddef.h>

#include "config/directive_types.h"

const struct directive *directives(size_t *n);

/* The directive of this name in such a section, or NULL. */
const struct directive *directive_find(enum section_kind, const char *name);

/* The directive whose value is the default; NULL: it has its own default. */
const struct directive *directive_inherits(const struct directive *);

/* Reads all defaults of such a section. */
void	directives_default(enum section_kind, void *to);

/* "listen", "pool", "server", as in files. */
const char *section_word(enum section_kind);

#endif
