/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * manager.c: a service manager for one service, as small as can be: it listens
 * to what sd_notify(3) sends, believes the main process only, keeps descriptors,
 * and starts a service again that was killed, with these. Signals that it gets
 * go to the main process; it ends with its status. What happened is recorded, a
 * line each:
 *
 *	start PID     end STATUS     said WORD|WORD|...     refused WORD|...
 *	keeps N
 *
 * usage: manager [-6blp] [-u PATH] [-w USEC] SOCKET RECORD COMMAND...
 *	-l	listen on a port of 127.0.0.1, for the service to have; %1 in
 *		the command becomes its address, that of the next one %2
 *	-6	the same on all addresses of IPv6, by the interface lo only
 *	-p	have a pipe for it, which it cannot use
 *	-u	listen on a unix socket
 *	-w	it has to give signs of life
 *	-b	it is never told that it has been heard out (BARRIER=1)
 */
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEPT_MAX	32
#define FIRST		3		/* where the descriptors begin */

struct kept {
	int	fd;
	char	name[256];
	bool	given;			/* by us, not by the service */
};

struct manager {
	const char	*path;
	FILE		*record;
	int		 notify, signals;
	const char	*watchdog;
	bool		 slow;		/* barriers stay */
	char		**argv;
	pid_t		 main;
	struct kept	 kept[KEPT_MAX];
	int		 n;
	char		 address[9][128];	/* of -l and -u */
	int		 addresses;
};

static int
high(int fd)
{
	int up = fcntl(fd, F_DUPFD_CLOEXEC, 100);

	if (up == -1)
		err(1, "descriptor");
	close(fd);
	return up;
}

static void
keep(struct manager *m, int fd, const char *name, bool given)
{
	struct stat a, b;
	int i;

	if (fstat(fd, &a) == -1)
		err(1, "fstat");
	for (i = 0; i < m->n; i++)
		if (fstat(m->kept[i].fd, &b) == 0 && a.st_ino == b.st_ino &&
		    a.st_dev == b.st_dev) {
			close(fd);
			return;
		}
	if (m->n == KEPT_MAX)
		errx(1, "too many descriptors");
	m->kept[m->n].fd = fd;
	m->kept[m->n].given = given;
	snprintf(m->kept[m->n++].name, sizeof(m->kept->name), "%s", name);
}

static void
drop(struct manager *m, const char *name)
{
	int i, left = 0;

	for (i = 0; i < m->n; i++)
		if (!m->kept[i].given && strcmp(m->kept[i].name, name) == 0)
			close(m->kept[i].fd);
		else
			m->kept[left++] = m->kept[i];
	m->n = left;
}

static void
listen_tcp(struct manager *m)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || bind(fd, (struct sockaddr *)&a, len) == -1 ||
	    listen(fd, 128) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) == -1)
		err(1, "listen");
	snprintf(m->address[m->addresses++], sizeof(m->address[0]),
	    "127.0.0.1:%u", ntohs(a.sin_port));
	keep(m, high(fd), "web.socket", true);
}

static void
listen_ipv6(struct manager *m)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd == -1 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2) == -1 ||
	    bind(fd, (struct sockaddr *)&a, len) == -1 ||
	    listen(fd, 128) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) == -1)
		err(1, "listen");
	snprintf(m->address[m->addresses++], sizeof(m->address[0]),
	    "[::]:%u", ntohs(a.sin6_port));
	keep(m, high(fd), "web.socket", true);
}

static void
listen_unix(struct manager *m, const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (fd == -1 || bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    listen(fd, 128) == -1 || chmod(path, 0666) == -1)
		err(1, "%s", path);
	snprintf(m->address[m->addresses++], sizeof(m->address[0]), "unix:%s",
	    path);
	keep(m, high(fd), "web.socket", true);
}

static void
have_pipe(struct manager *m)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		err(1, "pipe");
	close(ends[1]);
	keep(m, high(ends[0]), "odd", true);
}

/* In the child: the environment and the descriptors of a service. */
static void
become(struct manager *m)
{
	char names[KEPT_MAX * 256] = "", pid[16], n[16];
	sigset_t none;
	int i;

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	snprintf(n, sizeof(n), "%d", m->n);
	for (i = 0; i < m->n; i++) {
		if (dup2(m->kept[i].fd, FIRST + i) == -1)
			err(1, "dup2");
		if (i > 0)
			strcat(names, ":");
		strcat(names, m->kept[i].name);
	}
	setenv("NOTIFY_SOCKET", m->path, 1);
	if (m->n > 0) {
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", n, 1);
		setenv("LISTEN_FDNAMES", names, 1);
	}
	if (m->watchdog != NULL) {
		setenv("WATCHDOG_PID", pid, 1);
		setenv("WATCHDOG_USEC", m->watchdog, 1);
	}
	/* Who ends us may be in a hurry. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(m->argv[0], m->argv);
	err(1, "%s", m->argv[0]);
}

static void
start(struct manager *m)
{
	fflush(m->record);
	if ((m->main = fork()) == -1)
		err(1, "fork");
	if (m->main == 0)
		become(m);
	fprintf(m->record, "start %d\n", (int)m->main);
}

/* The value of NAME= in a message of NAME=VALUE, one a line; NULL: none. */
static const char *
value(const char *message, const char *name, char *to, size_t size)
{
	size_t len = strlen(name);
	const char *at;

	for (at = message; at != NULL; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, name, len) != 0 || at[len] != '=')
			continue;
		at += len + 1;
		snprintf(to, size, "%.*s", (int)strcspn(at, "\n"), at);
		return to;
	}
	return NULL;
}

static void
obey(struct manager *m, const char *message, int *fd)
{
	char text[256], name[256];

	if (value(message, "FDSTORE", text, sizeof(text)) != NULL &&
	    value(message, "FDNAME", name, sizeof(name)) != NULL && *fd != -1) {
		keep(m, high(*fd), name, false);
		*fd = -1;
	}
	if (value(message, "FDSTOREREMOVE", text, sizeof(text)) != NULL &&
	    value(message, "FDNAME", name, sizeof(name)) != NULL)
		drop(m, name);
	if (value(message, "MAINPID", text, sizeof(text)) != NULL)
		m->main = atoi(text);
}

/* One message with up to one descriptor, and who has sent it. */
static void
hear(struct manager *m)
{
	char message[4096], control[256], *c;
	struct iovec iov = { message, sizeof(message) - 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = control, .msg_controllen = sizeof(control) };
	struct ucred who = { .pid = 0 };
	struct cmsghdr *h;
	bool believed;
	ssize_t got;
	int fd = -1;

	if ((got = recvmsg(m->notify, &msg, MSG_CMSG_CLOEXEC)) == -1)
		err(1, "recvmsg");
	message[got] = '\0';
	for (h = CMSG_FIRSTHDR(&msg); h != NULL; h = CMSG_NXTHDR(&msg, h))
		if (h->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(h), sizeof(fd));
		else if (h->cmsg_type == SCM_CREDENTIALS)
			memcpy(&who, CMSG_DATA(h), sizeof(who));
	/* Anybody may ask to be heard out. */
	believed = who.pid == m->main || strcmp(message, "BARRIER=1") == 0;
	if (believed)
		obey(m, message, &fd);
	/* That of a barrier has done its work when it is closed. */
	if (fd != -1 && !m->slow)
		close(fd);
	for (c = message; (c = strchr(c, '\n')) != NULL; *c = '|')
		;
	fprintf(m->record, "%s %s\n", believed ? "said" : "refused", message);
}

/* True: the service has ended, with this status. */
static bool
reap(struct manager *m, int *status)
{
	pid_t pid;

	while ((pid = waitpid(-1, status, WNOHANG)) > 0) {
		if (pid != m->main)
			continue;
		fprintf(m->record, "keeps %d\nend %d\n", m->n, *status);
		if (WIFEXITED(*status))
			return true;
		start(m);
	}
	return false;
}

static void
set_up(struct manager *m)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	sigset_t all;
	int on = 1;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", m->path);
	m->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (m->notify == -1 ||
	    bind(m->notify, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    chmod(m->path, 0777) == -1 ||
	    setsockopt(m->notify, SOL_SOCKET, SO_PASSCRED, &on,
	    sizeof(on)) == -1)
		err(1, "%s", m->path);
	m->notify = high(m->notify);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if ((m->signals = signalfd(-1, &all, SFD_CLOEXEC)) == -1)
		err(1, "signalfd");
	m->signals = high(m->signals);
	/* The next master of an upgrade comes to us when the one before ends. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static void
supervise(struct manager *m)
{
	struct pollfd p[] = { { m->notify, POLLIN, 0 },
	    { m->signals, POLLIN, 0 } };
	struct signalfd_siginfo info;
	int status = 0;

	for (;;) {
		fflush(m->record);
		if (poll(p, 2, -1) == -1)
			err(1, "poll");
		if (p[0].revents != 0) {
			hear(m);
			continue;
		}
		if (read(m->signals, &info, sizeof(info)) != sizeof(info))
			err(1, "signalfd");
		if (info.ssi_signo != SIGCHLD)
			kill(m->main, (int)info.ssi_signo);
		else if (reap(m, &status))
			break;
	}
	fclose(m->record);
	unlink(m->path);
	exit(WEXITSTATUS(status));
}

int
main(int argc, char **argv)
{
	static struct manager m;
	int c;

	while ((c = getopt(argc, argv, "+6blpu:w:")) != -1)
		switch (c) {
		case '6':
			listen_ipv6(&m);
			break;
		case 'b':
			m.slow = true;
			break;
		case 'l':
			listen_tcp(&m);
			break;
		case 'p':
			have_pipe(&m);
			break;
		case 'u':
			listen_unix(&m, optarg);
			break;
		case 'w':
			m.watchdog = optarg;
			break;
		default:
			errx(64, "usage: see manager.c");
		}
	if (argc - optind < 3)
		errx(64, "usage: see manager.c");
	m.path = argv[optind];
	if ((m.record = fopen(argv[optind + 1], "we")) == NULL)
		err(1, "%s", argv[optind + 1]);
	for (m.argv = argv += optind + 2; *argv != NULL; argv++)
		if (argv[0][0] == '%' && argv[0][1] > '0' &&
		    argv[0][1] <= '0' + m.addresses)
			*argv = m.address[argv[0][1] - '1'];
	set_up(&m);
	start(&m);
	supervise(&m);
}
