/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_file.h: configuration files, in the grammar of libconfig.
 */
#ifndef CONF_FILE_H
#define CONF_FILE_H

#include "config/diagnostics.h"
#include "config/settings.h"

/*
 * Add what a file says, or what all files *.conf of a directory say, in the
 * order of their names. What is wrong is complained of, all in one go, and so is
 * what has been said before. 0, or -1 when some of it could not be read at all.
 */
int	conf_file_read(struct settings *, const char *path,
	    struct complaints *);

#endif
