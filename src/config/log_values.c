/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* log_values.c: reads directives about the log. */
#include "config/log_values.h"

#include <string.h>
#include <syslog.h>

#include "config/conf.h"
#include "config/directive_types.h"
#include "log/log.h"

const char *
log_values_log(const char *text, void *to)
{
	struct conf *c = to;
	const char *why;

	c->log = text;
	return log_check(text, &why) == -1 ? why : NULL;
}

const char *
log_values_listener(const char *text, void *to)
{
	struct listener *l = to;
	const char *why;

	l->silent = strcmp(text, "off") == 0;
	l->log = l->silent || strcmp(text, "global") == 0 ? NULL : text;
	return l->log != NULL && log_check(text, &why) == -1 ? why : NULL;
}

const char *
log_values_log_sessions(const char *text, void *to)
{
	struct conf *c = to;
	bool all = strcmp(text, "all") == 0;

	c->log_every = all;
	c->log_errors = strcmp(text, "none") != 0;
	if (all || !c->log_errors || strcmp(text, "errors") == 0 ||
	    (strncmp(text, "1/", 2) == 0 && directive_number(text + 2, 2,
	    1000000, &c->log_every) == 0))
		return NULL;
	return "should be " LOG_SESSIONS;
}

const char *
log_values_log_level(const char *text, void *to)
{
	struct conf *c = to;
	const char *word;

	c->log_level = LOG_ERR;
	for (word = LEVELS; strncmp(word, text, strlen(text)) != 0; word++)
		c->log_level += *word == ',';
	return NULL;
}
