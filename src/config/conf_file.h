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
 * Add what a file says, with all that it includes, or what all files *.yaml of
 * a directory say, in the order of their names. /dev/stdin may be a pipe where
 * *from_pipe* is true: it is waited for. What is wrong is complained of, all in
 * one go, and so is what has been said before. 0, or -1 when some of it could
 * not be read at all.
 */
int	conf_file_read(struct settings *, const char *path, bool from_pipe,
	    struct diagnostics *);

#endif
