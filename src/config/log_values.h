/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/* log_values.h: the directives about target and contents of the log. */
#ifndef LOG_VALUES_H
#define LOG_VALUES_H

#define LOG_SESSIONS	"all, errors, none, or 1/N for all errors and one in " \
			"N others, up to 1000000"
#define LEVELS	"err, warning, notice, info, debug"	/* from LOG_ERR on */

/* Readers: the second argument is a struct conf. */
const char *log_values_log(const char *, void *);
const char *log_values_listener(const char *, void *);	/* struct listener */
const char *log_values_log_sessions(const char *, void *);
const char *log_values_log_level(const char *, void *);

#endif
