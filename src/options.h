/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * options.h: the command line.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "complaints.h"
#include "conf.h"

enum options_action {
	OPTIONS_RUN,
	OPTIONS_TEST,			/* check and say so */
	OPTIONS_DONE,			/* help or version was printed */
	OPTIONS_ERROR			/* the complaints say why */
};

/*
 * Fill *conf*, set up by conf_init(), from the command line. May be called again
 * and again: it keeps nothing from one call to the next.
 */
enum options_action options_parse(struct conf *conf, int argc, char **argv,
	    struct complaints *);

#endif
