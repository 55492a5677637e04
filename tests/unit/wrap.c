/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * wrap.c: what becomes of a call that a test does not answer itself: it is
 * passed on, and an allocation fails when a test says so.
 */
#include "helpers.h"

/* Volatile, since the compiler believes that calloc() leaves them alone. */
static volatile int countdown = -1;
static volatile bool happened;

void
alloc_fail(int n)
{
	countdown = n;
	happened = false;
}

bool
alloc_failed(void)
{
	countdown = -1;
	return happened;
}

/* Link-time optimisation takes malloc() and calloc() for its own. */
void
alloc_needed(void)
{
	void *volatile p;

	alloc_fail(0);
	p = calloc(1, 1);
	free(p);
	if (!alloc_failed())
		skip();
}

static bool
fails(void)
{
	if (countdown == -1)
		return false;
	countdown--;
	if (countdown != -1)
		return false;
	happened = true;
	errno = ENOMEM;
	return true;
}

#define X(type, name, parameters, arguments)				\
	type								\
	__wrap_##name parameters					\
	{								\
		return fails() ? NULL : __real_##name arguments;	\
	}
WRAP_ALLOCATIONS(X)
#undef X

#define X(type, name, parameters, arguments)				\
	type __attribute__((weak))					\
	__wrap_##name parameters					\
	{								\
		return __real_##name arguments;				\
	}
WRAP_CALLS(X)
