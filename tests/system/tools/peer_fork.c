/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * peer_fork.c: the verbs that run a block in processes of their own. Every
 * process dies with its parent and has a life-time, so that nothing outlives
 * a test. A parent fails when one of its children does.
 */
#include "peer.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stopping;

static void
on_signal(int sig)
{
	if (sig == SIGTERM)
		stopping = 1;
}

/* fork() for a child that dies with us. */
static pid_t
child_make(struct peer *p)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == -1)
		peer_fail(p, "fork: %s", strerror(errno));
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	alarm(p->lifetime);
	p->server = 0;
	return 0;
}

static bool
child_failed(int status)
{
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

int
fork_parallel(struct peer *p, uint64_t n, size_t from, size_t to)
{
	int status, bad = 0;
	uint64_t i, left = 0;
	pid_t pid;

	for (i = 0; i < n && bad == 0; i++) {
		pid = child_make(p);
		if (pid == 0) {
			p->id = i;
			p->numbered = true;
			_exit(peer_run(p, from, to) == -1);
		}
		left += pid != -1;
		bad = pid == -1 ? -1 : 0;
	}
	while (left > 0) {
		pid = waitpid(-1, &status, 0);
		if (pid == -1 && errno == EINTR)
			continue;
		if (pid == -1)
			return peer_fail(p, "wait: %s", strerror(errno));
		if (pid == p->server)
			p->server = 0;	/* it fails, or it is done early */
		else
			left--;
		if (child_failed(status))
			bad = -1;
	}
	return bad;
}

static int
verb_parallel(struct peer *p, const struct command *c)
{
	size_t first = (size_t)(c - p->script->commands) + 1;

	return fork_parallel(p, c->args[0].n, first, c->end);
}

/*
 * A failure is told before the exit closes the connection: whoever sees that
 * end may stop the server before this process can be waited for.
 */
static void
serve_one(struct peer *p, const struct command *c, const sigset_t *mask,
    atomic_bool *failed)
{
	size_t first = (size_t)(c - p->script->commands) + 1;

	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	tcp_prepare(p->fd);
	if (peer_run(p, first, c->end) == -1)
		atomic_store(failed, true);
	_exit(0);
}

/* Take a connection if there is one and run the block in a child. */
static int
serve_accept(struct peer *p, const struct command *c, const sigset_t *mask,
    atomic_bool *failed)
{
	pid_t pid;
	int fd;

	fd = accept4(p->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1)
		return 0;
	pid = child_make(p);
	if (pid == 0) {
		close(p->listen_fd);
		p->listen_fd = -1;
		p->fd = fd;
		serve_one(p, c, mask, failed);
	}
	close(fd);
	return pid == -1 ? -1 : 1;
}

/* The server process: ends after limit connections, or at SIGTERM. */
static int
serve_loop(struct peer *p, const struct command *c, const sigset_t *mask)
{
	struct timespec patience = { .tv_sec = p->timeout_ms / 1000,
	    .tv_nsec = p->timeout_ms % 1000 * 1000000L };
	struct pollfd pfd = { .fd = p->listen_fd, .events = POLLIN };
	uint64_t limit = c->args[0].n, begun = 0, live = 0;
	atomic_bool *failed;
	int n, status;

	failed = mmap(NULL, sizeof(*failed), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (failed == MAP_FAILED)
		return peer_fail(p, "mmap: %s", strerror(errno));
	while (!stopping && (begun < limit || live > 0)) {
		n = ppoll(&pfd, begun < limit, limit == PEER_ANY || live > 0 ?
		    NULL : &patience, mask);
		if (n == 0)
			return peer_fail(p, "%" PRIu64 " of %" PRIu64
			    " connections came", begun, limit);
		if (n == 1) {
			n = serve_accept(p, c, mask, failed);
			if (n == -1)
				return -1;
			begun += (uint64_t)n;
			live += (uint64_t)n;
		}
		while (waitpid(-1, &status, WNOHANG) > 0) {
			live--;
			if (child_failed(status))
				atomic_store(failed, true);
		}
	}
	return atomic_load(failed) ? -1 : 0;
}

/*
 * SIGTERM is blocked from here on, in the parent until it has come to the end
 * of its script, so that the server always gets to report.
 */
static int
verb_serve(struct peer *p, const struct command *c)
{
	struct sigaction act = { .sa_handler = on_signal };
	sigset_t block, mask;

	if (p->listen_fd == -1)
		return peer_fail(p, "not listening");
	if (p->server != 0)
		return peer_fail(p, "one is enough");
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGCHLD);
	sigprocmask(SIG_BLOCK, &block, &mask);
	p->server = child_make(p);
	if (p->server != 0)
		return p->server == -1 ? -1 : 0;
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGCHLD, &act, NULL);
	_exit(serve_loop(p, c, &mask) == -1);
}

int
fork_server_wait(struct peer *p)
{
	struct timespec tick = { .tv_nsec = 100 * 1000000 };
	sigset_t set;
	int status;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	while (p->server > 0) {
		pid = waitpid(p->server, &status, WNOHANG);
		if (pid != 0) {
			p->server = 0;
			return pid == -1 || child_failed(status) ? -1 : 0;
		}
		if (sigtimedwait(&set, NULL, &tick) == SIGTERM)
			kill(p->server, SIGTERM);
	}
	return 0;
}

const struct verb verbs_fork[] = {
	{ "serve", "N", "", true, verb_serve,
	    "serve N|any { … }          a process for each of N connections" },
	{ "parallel", "n", "", true, verb_parallel,
	    "parallel N { … }           the block N times at once" },
	{ NULL, NULL, NULL, false, NULL, NULL }
};
