/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * wrap.h: the calls of the library and of the system that a test may answer
 * itself. The linker leads them to __wrap_NAME(), which passes them on unless
 * the test defines it; __real_NAME() is the call itself. Calls within libc and
 * cmocka go their own way. tests/unit/local.mk has the same names.
 */
#ifndef WRAP_H
#define WRAP_H

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <netdb.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct addr;
struct board;

/* type, name, parameters, how they are passed on */
#define WRAP_CALLS(X)							\
	X(int, accept4, (int a, struct sockaddr *b, socklen_t *c, int d),	\
	    (a, b, c, d))						\
	X(int, bind, (int a, const struct sockaddr *b, socklen_t c), (a, b, c)) \
	X(uint32_t, board_worker_slots, (const struct board *a), (a))		\
	X(int, clock_gettime, (clockid_t a, struct timespec *b), (a, b)) \
	X(uint64_t, clock_now_ms, (void), ())				\
	X(uint64_t, clock_tick_ms, (void), ())				\
	X(int, connect, (int a, const struct sockaddr *b, socklen_t c),	\
	    (a, b, c))							\
	X(unsigned, cpu_quota, (const char *a, const char *b), (a, b))	\
	X(bool, syscall_filter_exists, (void), ())				\
	X(int, syscall_filter_load, (unsigned a), (a))				\
	X(void, freeaddrinfo, (struct addrinfo *a), (a))		\
	X(int, ftruncate, (int a, off_t b), (a, b))			\
	X(int, getaddrinfo, (const char *a, const char *b,		\
	    const struct addrinfo *c, struct addrinfo **d), (a, b, c, d)) \
	X(int, getrlimit, (int a, struct rlimit *b), (a, b))		\
	X(int, getsockname, (int a, struct sockaddr *b, socklen_t *c),	\
	    (a, b, c))							\
	X(int, kill, (pid_t a, int b), (a, b))				\
	X(int, listen, (int a, int b), (a, b))				\
	X(void *, mmap, (void *a, size_t b, int c, int d, int e, off_t f), \
	    (a, b, c, d, e, f))						\
	X(unsigned, processors_count, (void), ())			\
	X(ssize_t, read, (int a, void *b, size_t c), (a, b, c))		\
	X(ssize_t, recv, (int a, void *b, size_t c, int d), (a, b, c, d)) \
	X(ssize_t, recvmsg, (int a, struct msghdr *b, int c), (a, b, c)) \
	X(int, sched_getaffinity, (pid_t a, size_t b, cpu_set_t *c), (a, b, c)) \
	X(int, select, (int a, fd_set *b, fd_set *c, fd_set *d,		\
	    struct timeval *e), (a, b, c, d, e))			\
	X(ssize_t, send, (int a, const void *b, size_t c, int d), (a, b, c, d)) \
	X(int, setrlimit, (int a, const struct rlimit *b), (a, b))	\
	X(int, setsockopt, (int a, int b, int c, const void *d, socklen_t e), \
	    (a, b, c, d, e))						\
	X(int, socket, (int a, int b, int c), (a, b, c))		\
	X(int, socket_can_bind, (const struct addr *a, const char *b), (a, b)) \
	X(long, syscall, (long a, long b, long c, long d, long e),	\
	    (a, b, c, d, e))						\
	X(ssize_t, write, (int a, const void *b, size_t c), (a, b, c))

/* Those that alloc_fail() lets fail. */
#define WRAP_ALLOCATIONS(X)						\
	X(void *, malloc, (size_t a), (a))				\
	X(void *, calloc, (size_t a, size_t b), (a, b))			\
	X(void *, reallocarray, (void *a, size_t b, size_t c), (a, b, c)) \
	X(char *, strdup, (const char *a), (a))

#define X(type, name, parameters, arguments)				\
	type	__real_##name parameters;				\
	type	__wrap_##name parameters;
WRAP_CALLS(X)
WRAP_ALLOCATIONS(X)
#undef X

#endif
