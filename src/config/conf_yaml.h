/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_yaml.h: a YAML text as a tree. Every scalar is its text, whatever its
 * style: nothing is turned into a number or a boolean. An alias is the node
 * that it names, so the tree may share nodes, but it has no circles.
 */
#ifndef CONF_YAML_H
#define CONF_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "config/diagnostics.h"

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind	 kind;
	bool		 bad;		/* that has been complained of */
	bool		 lacks;		/* pairs that were wrong, and told */
	bool		 open;		/* its end has not been read yet */
	unsigned	 line, column;	/* where it begins, from 1 */
	char		*text;		/* of a text */
	struct yaml_node **item;	/* of a map: name, value, name … */
	size_t		 n;		/* items; of a map, pairs */
	struct yaml_node *next;		/* of all that were made */
};

struct conf_yaml {
	struct yaml_node *root;		/* a map; NULL: it is empty */
	struct yaml_node *nodes;	/* all of them */
	/* False: some of the text is not in the tree. */
	bool		 whole;
};

/*
 * Parse one document. *file* names it in diagnostics and is kept by nobody. The
 * names of a map are texts that differ. After a syntax error the tree holds the
 * pairs of the top level but for those around it. Pair with conf_yaml_free().
 */
void	conf_yaml_parse(struct conf_yaml *, const char *text, size_t len,
	    const char *file, struct diagnostics *);
void	conf_yaml_free(struct conf_yaml *);

#endif
