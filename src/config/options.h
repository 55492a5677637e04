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
	OPTIONS_TEST,			/* check and report */
	OPTIONS_EXPLAIN,		/* print the configuration */
	OPTIONS_DONE,			/* help or version was printed */
	OPTIONS_ERROR,			/* see the diagnostics */
	OPTIONS_BAD_FILE		/* the same, about a file */
};

/*
 * In two steps, of which the first resolves no names: reading the settings, and
 * building the configuration. A caller that has resolved the names in between
 * stores them in conf->hosts.
 */
enum options_action options_read(struct conf *conf, int argc, char **argv,
	    struct diagnostics *);
enum options_action options_make(struct conf *conf, enum options_action,
	    struct diagnostics *);

/*
 * Fills *conf*, set up by conf_init(), from the command line and the files that
 * it names. May be called repeatedly: no state is kept, and *conf* keeps
 * nothing of argv. Relative names of files begin at conf->directory, which is
 * set to the working directory if NULL: pass it to the next configuration, so
 * that a reload finds the same files from any directory.
 */
enum options_action options_parse(struct conf *conf, int argc, char **argv,
	    struct diagnostics *);

#endif
