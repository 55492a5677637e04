/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_file.h: configuration files, in YAML.
 */
#ifndef CONF_FILE_H
#define CONF_FILE_H

#include "config/diagnostics.h"
#include "config/settings.h"

/*
 * Adds the contents of a file and all that it includes, or of all files *.yaml
 * of a directory in the order of their names. /dev/stdin may be a pipe if
 * *from_pipe*: it is read to its end. All mistakes are reported together, names
 * set twice included. 0, or -1 if some part could not be read at all.
 */
int	conf_file_read(struct settings *, const char *path, bool from_pipe,
	    struct diagnostics *);

#endif
