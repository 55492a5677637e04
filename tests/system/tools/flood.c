/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * flood.c: clients of many addresses, 127.0.1.1 and on, who say to the server
 * from which, and the server, which counts how many it has of each at once. All
 * in one process.
 * usage: flood CLIENTS SOURCES MS PORTS
 * Prints its address and waits for the balancer's, the first line of PORTS. For
 * MS all clients come, stay for a while, and come again; half of them share five
 * sources. With 0 each comes once, and all stay until the last one is served or
 * refused. At last, one line of what was seen.
 */
#include "meet.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS		1000
#define SOURCES		200
#define STAY		800		/* ms at most */
#define REST		300

enum state { RESTING, ASKING, STAYING, DONE };

struct client {
	int		fd;
	enum state	state;
	uint64_t	due;		/* when the state is over; 0: never */
	unsigned char	source;
};

/* The server's end; by descriptor. */
struct served {
	bool		used, counted;
	unsigned char	source;
};

static struct client client[CLIENTS];
static struct served served[65536];
static uint32_t	 n, sources;
static uint32_t	 inside[SOURCES], all, most, most_all;
static uint32_t	 answers, refused, cut;
static bool	 once;
static struct sockaddr_in balancer;
static int	 ep, listener;

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Clients are watched as their numbers, the others as what follows these. */
static void
watch(int how, int fd, uint32_t events, uint32_t what)
{
	struct epoll_event ev = { .events = events, .data.u32 = what };

	if (epoll_ctl(ep, how, fd, &ev) == -1)
		err(1, "epoll_ctl");
}

/* --- the server ------------------------------------------------------------ */

static void
leaves(int fd)
{
	struct served *s = &served[fd];

	if (s->counted) {
		inside[s->source]--;
		all--;
	}
	memset(s, 0, sizeof(*s));
	close(fd);
}

/* Those whose worker died have ended before others come in their place. */
static void
forget_ended(unsigned char source)
{
	size_t fd;
	char c;

	for (fd = 0; fd < sizeof(served) / sizeof(*served); fd++)
		if (served[fd].counted && served[fd].source == source &&
		    (recv((int)fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) != -1 ||
		    errno != EAGAIN))
			leaves((int)fd);
}

static void
arrives(struct served *s, unsigned char source)
{
	s->source = source;
	if (inside[source] >= most)
		forget_ended(source);
	s->counted = true;
	if (++inside[source] > most)
		most = inside[source];
	if (++all > most_all)
		most_all = all;
}

static void
serve(int fd)
{
	unsigned char source;

	if (!served[fd].used)
		return;
	if (recv(fd, &source, 1, MSG_DONTWAIT) != 1) {
		if (errno != EAGAIN || served[fd].counted)
			leaves(fd);
		return;
	}
	arrives(&served[fd], source);
	(void)send(fd, "y", 1, MSG_NOSIGNAL);
}

static void
accept_all(void)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		served[fd].used = true;
		watch(EPOLL_CTL_ADD, fd, EPOLLIN, CLIENTS + 1 + (uint32_t)fd);
	}
}

/* --- the clients ----------------------------------------------------------- */

static void
become(struct client *c, enum state state, uint64_t due)
{
	if (state == RESTING || state == DONE) {
		close(c->fd);
		c->fd = -1;
	}
	c->state = state;
	c->due = due;
}

static void
come(struct client *c)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int on = 1;

	a.sin_addr.s_addr = htonl(UINT32_C(0x7f000101) + c->source);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd == -1 || setsockopt(c->fd, IPPROTO_IP,
	    IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) == -1 ||
	    bind(c->fd, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    (connect(c->fd, (struct sockaddr *)&balancer,
	    sizeof(balancer)) == -1 && errno != EINPROGRESS))
		err(1, "client");
	watch(EPOLL_CTL_ADD, c->fd, EPOLLOUT, (uint32_t)(c - client));
	become(c, ASKING, 0);
}

/* There is a connection; but its end may have been told already. */
static void
ask(struct client *c)
{
	(void)send(c->fd, &c->source, 1, MSG_NOSIGNAL);
	watch(EPOLL_CTL_MOD, c->fd, EPOLLIN, (uint32_t)(c - client));
}

static void
hear(struct client *c, uint64_t now)
{
	char answer;

	if (c->state == ASKING && recv(c->fd, &answer, 1, MSG_DONTWAIT) == 1) {
		answers++;
		become(c, STAYING, once ? 0 : now + (uint64_t)rand() % STAY);
		return;
	}
	if (c->state == ASKING)
		refused++;
	else
		cut++;
	become(c, once ? DONE : RESTING, now + 50 + (uint64_t)rand() % REST);
}

static bool
all_asked(void)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (client[i].state < STAYING)
			return false;
	return true;
}

/* Whose time has come; and, when it is over, all. False: nobody is left. */
static bool
clients_turn(uint64_t now, bool over)
{
	bool left = false;
	struct client *c;

	for (c = client; c < client + n; c++) {
		if (over && (c->state == RESTING || c->state == STAYING))
			become(c, DONE, 0);
		else if (c->state == RESTING && c->due <= now)
			come(c);
		else if (c->state == STAYING && c->due != 0 && c->due <= now)
			become(c, RESTING, now + (uint64_t)rand() % REST);
		left |= c->state != DONE;
	}
	return left || all > 0;
}

static void
turn(void)
{
	struct epoll_event ev[64];
	int i, events = epoll_wait(ep, ev, 64, 5);
	uint32_t what;

	for (i = 0; i < events; i++) {
		what = ev[i].data.u32;
		if (what < CLIENTS && (ev[i].events & EPOLLOUT) != 0)
			ask(&client[what]);
		else if (what < CLIENTS && client[what].fd != -1)
			hear(&client[what], now_ms());
		else if (what == CLIENTS)
			accept_all();
		else if (what > CLIENTS)
			serve((int)(what - CLIENTS - 1));
	}
}

int
main(int argc, char **argv)
{
	uint64_t until;
	uint32_t i;

	if (argc != 5)
		errx(1, "usage: flood CLIENTS SOURCES MS PORTS");
	n = (uint32_t)atoi(argv[1]);
	sources = (uint32_t)atoi(argv[2]);
	once = atoi(argv[3]) == 0;
	if (n == 0 || n > CLIENTS || sources < 5 || sources > SOURCES)
		errx(1, "that many cannot be");
	alarm(120);
	meet_descriptors();
	if ((ep = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(1, "epoll");
	listener = meet_listen(4096);
	watch(EPOLL_CTL_ADD, listener, EPOLLIN, CLIENTS);
	balancer = meet_balancer(argv[4]);
	for (i = 0; i < n; i++) {
		client[i].fd = -1;
		client[i].source = (unsigned char)(once || i % 2 == 0 ?
		    i % sources : i / 2 % 5);
	}
	until = now_ms() + (uint64_t)atoi(argv[3]);
	while (clients_turn(now_ms(), once ? all_asked() : now_ms() >= until))
		turn();
	printf("most=%u most_in_all=%u answers=%u refused=%u cut=%u\n", most,
	    most_all, answers, refused, cut);
	return 0;
}
