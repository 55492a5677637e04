/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_yaml.h: a YAML text as a tree. Every scalar is its text, in any style:
 * nothing is converted to a number or a boolean. An alias is the node that it
 * names, so nodes may be shared, but there are no circles.
 */
#ifndef CONF_YAML_H
#define CONF_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "config/diagnostics.h"

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind	 kind;
	bool		 bad;		/* an error that was reported */
	bool		 lacks;		/* wrong pairs, reported, are missing */
	bool		 open;		/* its end was not read yet */
	unsigned	 line, column;	/* its start, from 1 */
	char		*text;		/* of a text */
	struct yaml_node **item;	/* of a map: name, value, name … */
	size_t		 n;		/* items; of a map, pairs */
	struct yaml_node *next;		/* list of all nodes */
};

struct conf_yaml {
	struct yaml_node *root;		/* a map; NULL: empty */
	struct yaml_node *nodes;	/* all of them */
	/* False: a part of the text is not in the tree. */
	bool		 whole;
};

/*
 * Parses one document. *file* names it in diagnostics and is not kept. The
 * names of a map are distinct texts. After a syntax error the tree has the
 * pairs of the top level except those near the error. Pair with
 * conf_yaml_free().
 */
void	conf_yaml_parse(struct conf_yaml *, const char *text, size_t len,
	    const char *file, struct diagnostics *);
void	conf_yaml_free(struct conf_yaml *);

#endif
