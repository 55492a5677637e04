/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * lookups.c: getaddrinfo(3) may wait for name servers without limit, so it runs
 * in children, and there in threads. They take names from a shared page and
 * write the results there. A child compromised by an answer can write anything:
 * the page is copied and checked once.
 */
#include "master/lookups.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/privileges.h"
#include "sys/clock.h"
#include "sys/signals.h"

/* In place of the number of a name. */
#define NONE		UINT32_MAX

/* Of a thread, in bytes. */
#define STACK		(256 << 10)

struct lookups_page {
	/* The first name not taken; 0: some children are still starting. */
	_Atomic uint32_t next;
	struct {
		_Atomic uint32_t done;
		struct addr_host host;
	} at[];
};

/* Resets signals to their defaults: these processes do not handle them. */
static void
take_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool
is_any_left(const struct lookups *l)
{
	uint32_t next = atomic_load(&l->page->next);

	return atomic_load(&l->own) != NONE || next == 0 || next < l->hosts->n;
}

/* The child's own name comes first, then those without a child. */
static bool
take_name(struct lookups *l, uint32_t *i)
{
	if ((*i = atomic_exchange(&l->own, NONE)) != NONE)
		return true;
	if (atomic_load(&l->page->next) == 0)
		return false;
	*i = atomic_fetch_add(&l->page->next, 1);
	return *i < l->hosts->n;
}

/* Resolves names one by one. Runs in a thread. */
static void *
run_lookup_thread(void *lookups)
{
	struct lookups *l = lookups;
	struct lookups_page *page = l->page;
	struct addr_host h;
	uint32_t i;

	while (take_name(l, &i)) {
		h = page->at[i].host;
		addr_look_up(&h, ADDR_CONNECT);
		page->at[i].host = h;
		atomic_store(&page->at[i].done, 1);
	}
	return NULL;
}

/*
 * The number of threads that have enough descriptors: getaddrinfo(3) needs up
 * to three.
 */
static unsigned
most_threads(void)
{
	long n = (sysconf(_SC_OPEN_MAX) - STDERR_FILENO - 1) / 4;

	return n < 1 ? 1 : n > LOOKUPS_THREADS ? LOOKUPS_THREADS : (unsigned)n;
}

/*
 * A name without an answer occupies its thread to the end: while names are
 * left, that many threads are added, as far as the system has them.
 */
static void
run_threads(struct lookups *l)
{
	static const struct timespec pause = { .tv_nsec = 2000000 };
	pthread_t thread[LOOKUPS_THREADS];
	unsigned n = 0, most = most_threads();
	pthread_attr_t attr;

	if (pthread_attr_init(&attr) == 0)
		(void)pthread_attr_setstacksize(&attr, STACK);
	for (; n < most && is_any_left(l); nanosleep(&pause, NULL)) {
		/* What has no child is not known yet. */
		if (n > 0 && atomic_load(&l->page->next) == 0)
			continue;
		if (pthread_create(&thread[n], &attr, run_lookup_thread, l) ==
		    0)
			n++;
		else if (n == 0)
			(void)run_lookup_thread(l);
	}
	while (n-- > 0)
		(void)pthread_join(thread[n], NULL);
}

static void __attribute__((__noreturn__))
be_child(struct lookups *l, uint64_t ms, const struct identity *user,
    pid_t parent)
{
	setproctitle("looking names up");
	take_signals();
	/* If the parent is stuck, stop waiting for answers. */
	alarm((unsigned)(ms / 1000) + 2);
	if (user != NULL && privileges_drop(user, NULL, false) == -1)
		_exit(1);
	/* A change of user would reset this, so it comes after that. */
	if (privileges_end_with(parent) == -1)
		_exit(1);
#ifdef M_ARENA_MAX
	(void)mallopt(M_ARENA_MAX, 1);
#endif
	run_threads(l);
	_exit(0);
}

static int
make_page(struct lookups *l)
{
	size_t i;

	l->size = sizeof(*l->page) + l->hosts->n * sizeof(l->page->at[0]);
	l->page = mmap(NULL, l->size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (l->page == MAP_FAILED) {
		l->page = NULL;
		return -1;
	}
	for (i = 0; i < l->hosts->n; i++)
		l->page->at[i].host = l->hosts->host[i];
	return 0;
}

int
lookups_begin(struct lookups *l, struct hosts *hosts, uint64_t ms,
    const struct identity *user, void (*leave)(void *), void *arg)
{
	pid_t pid, parent = getpid();

	memset(l, 0, sizeof(*l));
	l->hosts = hosts;
	l->deadline = clock_now_ms() + ms;
	if (make_page(l) == -1)
		return -1;
	while (l->children < LOOKUPS_CHILDREN && l->children < hosts->n) {
		if ((pid = fork()) == 0) {
			l->own = l->children;
			if (leave != NULL)
				leave(arg);
			be_child(l, ms, user, parent);
		}
		if (pid == -1)
			break;
		l->child[l->children++] = pid;
	}
	/* Some of the children are enough. */
	atomic_store(&l->page->next, l->children);
	if (l->children > 0)
		return 0;
	lookups_end(l);
	return -1;
}

bool
lookups_reaped(struct lookups *l, pid_t pid)
{
	size_t i;

	for (i = 0; i < LOOKUPS_CHILDREN; i++)
		if (l->child[i] == pid) {
			l->child[i] = 0;
			l->children--;
			return true;
		}
	return false;
}

bool
lookups_done(const struct lookups *l)
{
	return l->children == 0 || clock_now_ms() >= l->deadline;
}

int
lookups_wait(const struct lookups *l)
{
	uint64_t now = clock_now_ms();

	return l->deadline <= now ? 0 : (int)(l->deadline - now);
}

/* Checks a result: an honest child writes no other. Ports are set later. */
static bool
is_sound_host(const struct addr_host *h)
{
	const struct addr *a;
	int i;

	if (h->n < 0 || h->n > ADDR_OF_HOST || (h->n == 0 && h->error == 0))
		return false;
	for (i = 0; i < h->n; i++) {
		a = &h->addr[i];
		if (!(a->sa.sa_family == AF_INET && a->len == sizeof(a->in)) &&
		    !(a->sa.sa_family == AF_INET6 && a->len == sizeof(a->in6)))
			return false;
	}
	return true;
}

void
lookups_end(struct lookups *l)
{
	struct addr_host h, *to;
	int err = errno;
	size_t i;

	for (i = 0; i < LOOKUPS_CHILDREN; i++)
		if (l->child[i] != 0)
			(void)kill(l->child[i], SIGKILL);
	for (i = 0; l->page != NULL && i < l->hosts->n; i++) {
		to = &l->hosts->host[i];
		memset(&h, 0, sizeof(h));
		if (atomic_load(&l->page->at[i].done))
			h = l->page->at[i].host;
		if (!is_sound_host(&h)) {
			h.n = 0;
			h.error = ADDR_LATE;
		}
		/* The name is this process's own. */
		memcpy(h.name, to->name, sizeof(h.name));
		*to = h;
	}
	if (l->page != NULL)
		munmap(l->page, l->size);
	l->page = NULL;
	errno = err;
}

static void
reap_lookup_children(struct lookups *l)
{
	size_t i;

	for (i = 0; i < LOOKUPS_CHILDREN; i++)
		if (l->child[i] != 0 &&
		    waitpid(l->child[i], NULL, WNOHANG) != 0)
			(void)lookups_reaped(l, l->child[i]);
}

/* Waits until all is resolved, or one of these signals has come; 0: none. */
static int
wait_for_answers(struct lookups *l, int signals)
{
	int sig;

	while (!lookups_done(l)) {
		signals_wait(signals, lookups_wait(l));
		while ((sig = signals_next(signals)) != 0)
			if (sig != SIGCHLD)
				return sig;
		reap_lookup_children(l);
	}
	return 0;
}

int
lookups_run(struct hosts *hosts, uint64_t ms)
{
	struct lookups l;
	sigset_t set;
	int fd, sig;
	size_t i;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	if ((fd = signals_open(&set)) == -1)
		return -1;
	if (lookups_begin(&l, hosts, ms, NULL, NULL, NULL) == -1) {
		close(fd);
		return -1;
	}
	sig = wait_for_answers(&l, fd);
	close(fd);
	lookups_end(&l);
	for (i = 0; i < LOOKUPS_CHILDREN; i++)
		if (l.child[i] != 0)
			(void)waitpid(l.child[i], NULL, 0);
	return sig;
}
