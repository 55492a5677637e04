/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_scan.h: a look at the words of a configuration file before libconfig
 * has it, for what that would take in silence, end the process for, or call a
 * syntax error and no more.
 */
#ifndef CONF_SCAN_H
#define CONF_SCAN_H

#include "config/conf_text.h"
#include "config/diagnostics.h"
#include "config/settings.h"

/*
 * Read the file and all that it includes, by names that begin at *directory*,
 * each once, into one text. 0, or -1 when something is wrong, which has been
 * complained of.
 */
int	conf_scan(struct settings *, const char *path, const char *directory,
	    struct conf_text *, struct complaints *);

#endif
