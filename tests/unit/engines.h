/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * engines.h: the poller's engines. Whoever adds one adds its name here, and it
 * has to pass as it is.
 */
#ifndef ENGINES_H
#define ENGINES_H

#include "helpers.h"

static const char *const engines[] = { "hybrid", "select" };

/* Run the tests once for each engine, whose name is then in *which*. */
#define RUN_ENGINES(which, tests)					\
	run_engines(&(which), tests, sizeof(tests) / sizeof(*(tests)))

static inline int
run_engines(const char **which, const struct CMUnitTest *tests, size_t n)
{
	int failed = 0;
	size_t i;

	alarm(120);
	for (i = 0; i < COUNT(engines); i++) {
		*which = engines[i];
		failed += _cmocka_run_group_tests(engines[i], tests, n, NULL,
		    NULL);
	}
	return failed;
}

#endif
