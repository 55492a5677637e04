/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * options.h: the command line.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "config/conf.h"
#include "config/diagnostics.h"

enum options_action {
	OPTIONS_RUN,
	OPTIONS_TEST,			/* check and say so */
	OPTIONS_EXPLAIN,		/* print what it amounts to */
	OPTIONS_DONE,			/* help or version was printed */
	OPTIONS_ERROR,			/* the diagnostics say why */
	OPTIONS_BAD_FILE		/* likewise, and it is about a file */
};

/*
 * The same in two steps, of which the first looks no name up: what was said, then
 * what it means. Whoever knows what names mean by then says so in conf->hosts.
 */
enum options_action options_read(struct conf *conf, int argc, char **argv,
	    struct diagnostics *);
enum options_action options_make(struct conf *conf, enum options_action,
	    struct diagnostics *);

/*
 * Fill *conf*, set up by conf_init(), from the command line and from the files
 * that it names. May be called again and again: nothing is kept from one call to
 * the next, and *conf* keeps nothing of argv. Relative names of files begin at
 * conf->directory, which is set to the working directory when it is NULL: hand
 * it on to the next configuration, and a reload finds the same files wherever
 * the process is then.
 */
enum options_action options_parse(struct conf *conf, int argc, char **argv,
	    struct diagnostics *);

#endif
