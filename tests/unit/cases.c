/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * cases.c: runs the cases of a program in the order in which they stand there,
 * once or over each engine of the poller. The program must not hang: an alarm
 * ends it.
 */
#include "helpers.h"

#define CASES_MAX	64

const char *engine;

static struct {
	struct CMUnitTest test[CASES_MAX];
	int	line[CASES_MAX];
	size_t	n;
	bool	over_engines;
} cases;

int __attribute__((weak))
set_up(void)
{
	return 0;
}

int __attribute__((weak))
tear_down(void)
{
	return 0;
}

int __attribute__((weak))
set_up_all(void)
{
	return 0;
}

int __attribute__((weak))
tear_down_all(void)
{
	return 0;
}

static int
before_each(void **state)
{
	(void)state;
	return set_up();
}

static int
after_each(void **state)
{
	(void)state;
	(void)alloc_failed();
	return tear_down();
}

static int
before_all(void **state)
{
	(void)state;
	return set_up_all();
}

static int
after_all(void **state)
{
	(void)state;
	return tear_down_all();
}

/* Constructors come in no order that one may count on. */
void
case_add(const char *name, CMUnitTestFunction function, int line)
{
	const struct CMUnitTest test = { name, function, before_each,
	    after_each, NULL };
	size_t i;

	if (cases.n == CASES_MAX)
		abort();
	for (i = cases.n++; i > 0 && cases.line[i - 1] > line; i--) {
		cases.test[i] = cases.test[i - 1];
		cases.line[i] = cases.line[i - 1];
	}
	cases.test[i] = test;
	cases.line[i] = line;
}

void
cases_over_engines(void)
{
	cases.over_engines = true;
}

int
main(void)
{
	size_t i, rounds = cases.over_engines ? COUNT(engines) : 1;
	int failed = 0;

	alarm(120);
	for (i = 0; i < rounds; i++) {
		engine = engines[i];
		failed += _cmocka_run_group_tests(cases.over_engines ? engine :
		    "tests", cases.test, cases.n, before_all, after_all);
	}
	return failed;
}
