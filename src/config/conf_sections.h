/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_sections.h: what a parsed file says, put into the settings.
 */
#ifndef CONF_SECTIONS_H
#define CONF_SECTIONS_H

#include "config/diagnostics.h"
#include "config/conf_yaml.h"
#include "config/settings.h"

/* What all files of one -c have, which aliases can multiply. */
struct conf_bounds {
	size_t	 values;
	size_t	 sections[SECTIONS];
};

#define CONF_VALUES_MOST	1000000

/* One file on its way into the settings. */
struct conf_reading {
	struct settings	*settings;
	struct diagnostics *diagnostics;
	const char	*file;		/* its name for places */
	const char	*directory;	/* that names in it begin at */
	struct conf_bounds *bounds;
	/* Of `include:`, found by conf_sections_read(); NULL: there is none. */
	const struct yaml_node *include;
};

/* Read all of a map into the section of what files say at the top. */
void	conf_sections_read(struct conf_reading *, const struct yaml_node *root);

/* The directive of a pool that has this name in its map `check`. NULL: none. */
const struct directive *conf_sections_check(const char *name);

/* Complain of something at this node. */
void	conf_sections_reject(const struct conf_reading *,
	    const struct yaml_node *, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 3, 4)));

#endif
