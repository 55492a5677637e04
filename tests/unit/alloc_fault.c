/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * alloc_fault.c: lets an allocation of the library fail when a test says so.
 * The linker leads its calls here (--wrap); those of libc and of cmocka go
 * their own way.
 */
#include "helpers.h"

void	*__real_malloc(size_t);
void	*__wrap_malloc(size_t);
void	*__real_calloc(size_t, size_t);
void	*__wrap_calloc(size_t, size_t);
void	*__real_reallocarray(void *, size_t, size_t);
void	*__wrap_reallocarray(void *, size_t, size_t);
char	*__real_strdup(const char *);
char	*__wrap_strdup(const char *);

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

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(p, n, size);
}

char *
__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}
