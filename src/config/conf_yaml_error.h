/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * conf_yaml_error.h: describes the errors of libyaml, and what would be right,
 * in the words of this project's documents.
 */
#ifndef CONF_YAML_ERROR_H
#define CONF_YAML_ERROR_H

#include <stddef.h>
#include <yaml.h>

struct conf_yaml_error {
	unsigned	 line, column;	/* from 1; 0: unknown */
	char		 what[300];
};

#define CONF_YAML_TAG	"a tag (!) is not used: a directive knows the type " \
			"of its value; a text that begins with ! stands in quotes"
#define CONF_YAML_COLON	"within [ ] and { } a text that begins with a colon " \
			"stands in quotes, such as \":80\""
#define CONF_YAML_QUOTE	"the text that begins here has no end; add a quote"
#define CONF_YAML_NAME	"no colon follows this; a directive is NAME: VALUE"

/* Describes why yaml_parser_parse() has failed on this text. */
void	conf_yaml_explain(const yaml_parser_t *, const char *text, size_t len,
	    struct conf_yaml_error *);

#endif
