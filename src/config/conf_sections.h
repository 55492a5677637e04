/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* conf_sections.h: transfers the contents of a parsed file to the settings. */
#ifndef CONF_SECTIONS_H
#define CONF_SECTIONS_H

#include "config/diagnostics.h"
#include "config/conf_yaml.h"
#include "config/settings.h"

/* Bounds for all files of one -c, which aliases could exceed. */
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
	const char	*directory;	/* base of relative names in it */
	struct conf_bounds *bounds;
	/* Of `include:`, set by conf_sections_read(); NULL: none. */
	const struct yaml_node *include;
};

/* Reads a map into the top section of the files. */
void	conf_sections_read(struct conf_reading *, const struct yaml_node *root);

/* The directive of a pool with this name in its map `check`, or NULL. */
const struct directive *conf_sections_check(const char *name);

/* Adds a diagnostic about this node. */
void	conf_sections_reject(const struct conf_reading *,
	    const struct yaml_node *, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 3, 4)));

#endif
