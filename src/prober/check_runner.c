/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * check_runner.c: a process that forks one more for each program, which waits
 * for three things: output, the end of the program, and the end of the check.
 * Then it kills the process group, so nothing outlives its time limit or the
 * prober. The time is kept by the prober.
 */
#include "prober/check_runner.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/poller.h"
#include "process/title.h"
#include "sys/channel.h"
#include "sys/signals.h"

#define WORDS		(CHECK_COMMAND_WORDS + 1)	/* and a NULL */
#define DESCRIPTORS	64		/* of a process that runs a program */
#define ASKED		'X'

/* One program. */
struct run {
	int	 asker;
	pid_t	 pid;
	int	 output;		/* -1: at end of file */
	size_t	 n;			/* bytes of the line */
	bool	 whole;			/* it has its newline */
	struct check_runner_answer answer;
};

static void
split_command(char *text, char *word[WORDS])
{
	size_t n = 0;
	char *w;

	while (n < WORDS - 1 && (w = strsep(&text, " \t")) != NULL)
		if (*w != '\0')
			word[n++] = w;
	word[n] = NULL;
}

/* The environment of a program: the server that it is to check. */
struct surroundings {
	char	 path[80], addr[ADDR_TEXT + 16], port[24];
	char	 name[SERVER_NAME + 16], pool[SERVER_NAME + 16];
	char	*list[6];
};

/* The path for other programs, independent of that of the daemon. */
#define PROGRAM_PATH \
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static void
describe_server(struct surroundings *s, const struct servers *bs,
    uint32_t server)
{
	const struct server *b = &bs->list[server];
	char text[ADDR_TEXT];
	struct text t = { text, text + sizeof(text) - 1 };
	struct addr a = b->addr;
	struct endpoint e;

	/*
	 * Without an address by now the check has ended, and ignores the
	 * answer.
	 */
	(void)server_check_address(bs, server, &a);
	if (addr_is_unix(&a)) {
		addr_format(&a, text, sizeof(text));
	} else {
		endpoint_set(&e, &a);
		endpoint_put_ip(&t, &e);
		*t.at = '\0';
	}
	strlcpy(s->path, PROGRAM_PATH, sizeof(s->path));
	snprintf(s->addr, sizeof(s->addr), "SERVER_ADDR=%s", text);
	snprintf(s->port, sizeof(s->port), "SERVER_PORT=%u", addr_port(&a));
	snprintf(s->name, sizeof(s->name), "SERVER_NAME=%s", b->name);
	snprintf(s->pool, sizeof(s->pool), "POOL_NAME=%s",
	    bs->pool[b->pool].name);
	memcpy(s->list, (char *[]){ s->path, s->addr, s->port, s->name, s->pool,
	    NULL }, sizeof(s->list));
}

/* Resets what programs expect and a daemon may have changed. */
static void
set_up_program(int output)
{
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	/*
	 * /dev/null may be missing in another root directory: an empty pipe
	 * does, too.
	 */
	dup2(null != -1 ? null : output, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	closefrom(STDERR_FILENO + 1);
	(void)setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void __attribute__((__noreturn__))
execute(const struct servers *bs, uint32_t server, int output)
{
	char *word[WORDS], command[1024];
	struct surroundings s;

	describe_server(&s, bs, server);
	strlcpy(command, server_pool(bs, server)->check.command,
	    sizeof(command));
	split_command(command, word);
	set_up_program(output);
	execve(word[0], word, s.list);
	dprintf(STDERR_FILENO, "%s: %s\n", word[0], strerror(errno));
	_exit(127);
}

/* Keeps the first line, and reads the rest so that the program never blocks. */
static void
take_output(struct run *r, struct poller *poller)
{
	char buf[4096], *end;
	ssize_t n;
	size_t k;

	while ((n = read(r->output, buf, sizeof(buf))) > 0) {
		end = memchr(buf, '\n', (size_t)n);
		k = end == NULL ? (size_t)n : (size_t)(end - buf);
		if (k > sizeof(r->answer.line) - 1 - r->n)
			k = sizeof(r->answer.line) - 1 - r->n;
		if (!r->whole) {
			memcpy(r->answer.line + r->n, buf, k);
			r->n += k;
		}
		r->whole |= end != NULL;
		if (n < (ssize_t)sizeof(buf))
			return;
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	poller_forget(poller, r->output);
	close(r->output);
	r->output = -1;
}

/*
 * Checks whether the program has ended. It stays a zombie: its pid is that of
 * the group, and so cannot be reused.
 */
static bool
has_ended(struct run *r)
{
	siginfo_t info = { .si_pid = 0 };

	if (waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) ==
	    -1 || info.si_pid == 0)
		return false;
	r->answer.signalled = info.si_code != CLD_EXITED;
	r->answer.status = info.si_status;
	return true;
}

/* True: the program has ended; false: the check has. */
static bool
watch_program(struct run *r, struct poller *poller, int signals)
{
	struct poller_event ev;
	bool ended = false, wanted = true;

	while (!ended && wanted) {
		if (poller_wait(poller, -1) == -1)
			return false;
		while (poller_next(poller, &ev))
			if (ev.fd == r->output)
				take_output(r, poller);
			else if (ev.fd == r->asker)
				wanted = false;
		while (signals_next(signals) != 0)
			continue;
		ended = has_ended(r);
	}
	return ended;
}

static int
run_program(const struct servers *bs, struct run *r, uint32_t server)
{
	struct poller *poller;
	sigset_t child;
	int signals, pipe_[2];
	bool ended;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	signal(SIGCHLD, SIG_DFL);
	if ((signals = signals_open(&child)) == -1 ||
	    pipe2(pipe_, O_CLOEXEC) == -1 ||
	    (poller = poller_new(poller_engine("select"), DESCRIPTORS)) ==
	    NULL || (r->pid = fork()) == -1)
		return -1;
	if (r->pid == 0)
		execute(bs, server, pipe_[1]);
	close(pipe_[1]);
	/* Here as well: a kill may come before the child has run at all. */
	(void)setpgid(r->pid, r->pid);
	r->output = pipe_[0];
	(void)fcntl(r->output, F_SETFL, O_NONBLOCK);
	poller_want(poller, r->output, POLLER_READ);
	poller_want(poller, r->asker, POLLER_READ);
	poller_want(poller, signals, POLLER_READ);
	ended = watch_program(r, poller, signals);
	(void)kill(-r->pid, SIGKILL);
	if (r->output != -1)
		take_output(r, poller);
	while (waitpid(r->pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	return ended ? 0 : -1;
}

static void __attribute__((__noreturn__))
serve(const struct servers *bs, int asker)
{
	struct run r = { .asker = asker };
	uint32_t server;

	if (read(asker, &server, sizeof(server)) ==
	    (ssize_t)sizeof(server) && server < bs->n &&
	    server_pool(bs, server)->check.kind == CHECK_EXEC &&
	    run_program(bs, &r, server) == 0 &&
	    write(asker, &r.answer, sizeof(r.answer)) == -1)
		_exit(1);
	_exit(0);
}

static void __attribute__((__noreturn__))
be_runner(const struct conf *conf, const struct servers *bs, int channel)
{
	int asker;
	char what;

	/*
	 * Close the prober's descriptors: each must see the end of the other.
	 */
	if (channel != STDERR_FILENO + 1)
		dup2(channel, STDERR_FILENO + 1);
	channel = STDERR_FILENO + 1;
	closefrom(channel + 1);
	title_set(conf, "runner");
	/* Processes of programs are reaped automatically. */
	signal(SIGCHLD, SIG_IGN);
	while (channel_receive(channel, &what, &asker) == 1) {
		if (what == ASKED && asker != -1 && fork() == 0)
			serve(bs, asker);
		if (asker != -1)
			close(asker);
	}
	_exit(0);
}

int
check_runner_start(struct check_runner *r, const struct conf *conf,
    const struct servers *bs)
{
	int pair[2], err;
	pid_t pid;

	if (channel_open(pair) == -1)
		return -1;
	if ((pid = fork()) == 0)
		be_runner(conf, bs, pair[0]);
	err = errno;
	close(pair[0]);
	if (pid == -1) {
		close(pair[1]);
		errno = err;
		return -1;
	}
	r->fd = pair[1];
	return 0;
}

int
check_runner_ask(const struct check_runner *r, uint32_t server)
{
	int pair[2], err;

	if (channel_open(pair) == -1)
		return -1;
	if (write(pair[1], &server, sizeof(server)) ==
		(ssize_t)sizeof(server) &&
	    channel_send(r->fd, ASKED, pair[0]) == 0) {
		close(pair[0]);
		return pair[1];
	}
	err = errno;
	close(pair[0]);
	close(pair[1]);
	errno = err;
	return -1;
}
