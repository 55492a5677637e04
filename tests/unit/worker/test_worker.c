/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_worker.c: the loop of a worker, with a listener that its acceptor does not know:
 * what is ready and belongs to nothing does not keep it awake.
 */
#include "worker/worker.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <signal.h>
#include <unistd.h>

#include "config/conf_file.h"
#include "config/conf_make.h"
#include "config/settings.h"
#include "event/poller.h"
#include "helpers.h"
#include "process/process.h"

/* How long the worker turns, in ms. */
#define LIFE	300

bool	__wrap_acceptor_event(void *, const struct poller_event *);

static unsigned strays;

bool
__wrap_acceptor_event(void *acceptor, const struct poller_event *ev)
{
	int listens = 0;
	socklen_t len = sizeof(listens);

	(void)acceptor;
	if (getsockopt(ev->fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0)
		strays += listens != 0;
	return false;
}

/* A client that stays for a while, and then the end. */
static pid_t
start_client(const struct addr *to)
{
	pid_t worker = getpid(), pid = fork();
	int fd;

	if (pid != 0)
		return pid;
	fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, &to->sa, to->len) == -1)
		_exit(1);
	usleep(LIFE * 1000);
	(void)kill(worker, SIGTERM);
	_exit(0);
}

TEST(strays)
{
	struct diagnostics diagnostics = { .n = 0 };
	char directory[100], file[120], text[4000];
	struct conf conf;
	struct board *board;
	struct worker *w;
	struct log *log;
	int status;
	pid_t pid;
	FILE *f;

	make_dir(directory, sizeof(directory));
	snprintf(file, sizeof(file), "%s/conf", directory);
	write_file(file, "workers: 0\nsandbox: off\nmax_sessions_per_worker: 10\n"
	    "listen: { l: { address: \"127.0.0.1:0\" } }\n"
	    "pool: { p: { server: { s: { address: \"127.0.0.1:1\" } } } }\n");
	conf_init(&conf);
	assert_non_null(conf.settings = settings_new());
	assert_int_equal(conf_file_read(conf.settings, file, false,
	    &diagnostics), 0);
	conf_make(&conf, true, &diagnostics);
	if (diagnostics.n > 0)
		fail_msg("%s", diagnostics.line[0]);
	privileges_get_own(&conf.user);
	assert_int_equal(listener_open(&conf.listener[0]), 0);
	assert_non_null(board = board_new(4, NULL));
	snprintf(file, sizeof(file), "%s/log", directory);
	assert_non_null(log = log_open(file, LOG_INFO));
	assert_non_null(w = worker_new(&conf, board, log, 0, -1));
	pid = start_client(&conf.listener[0].addr);
	assert_true(pid > 0);
	assert_int_equal(worker_loop(w), PROCESS_DONE);
	worker_free(w);
	log_close(log);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(strays, 1);
	assert_non_null(f = fopen(file, "r"));
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	assert_non_null(strstr(text, "has no owner"));
	listener_close(&conf.listener[0]);
	board_free(board);
	conf_free(&conf);
	remove_dir(directory);
}
