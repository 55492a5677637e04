/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * crowd.c: a server that counts how many it has at once and notes in which
 * order they come, and the clients that want it, all in one process.
 * usage: crowd storm|order N PORTS LOG
 * Prints its address and waits for the balancer's, the first line of PORTS. Then
 * N clients come: at once, or each when LOG tells that the one before it is a
 * session, and none is served before all are, and each for a while, so that
 * others may find the time to push in. At last, one line of what it saw.
 */
#include "meet.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS		1000

/* One end of a session; a client's number is its place in the list. */
struct end {
	int		fd;		/* -1: it has ended */
	uint32_t	number;
	bool		asked;		/* the number has come or gone */
	bool		answered;
};

static struct end client[CLIENTS], served[CLIENTS];
static uint32_t	 n, came, most, inversions, last;
static uint32_t	 answers, refused;
static struct sockaddr_in balancer;

static void
rest(void)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	nanosleep(&ms, NULL);
}

/* So many sessions have begun, by the log. */
static uint32_t
sessions(FILE *log)
{
	static uint32_t begun;
	static char line[4096];
	static size_t len;
	int c;

	clearerr(log);
	while ((c = getc(log)) != EOF) {
		line[len] = (char)c;
		if (c != '\n') {
			len += len < sizeof(line) - 1;
			continue;
		}
		line[len] = '\0';
		begun += strstr(line, ": session start ") != NULL;
		len = 0;
	}
	return begun;
}

static void
come(struct end *e, uint32_t number)
{
	e->number = number;
	e->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (e->fd == -1 || connect(e->fd, (struct sockaddr *)&balancer,
	    sizeof(balancer)) == -1 ||
	    send(e->fd, &number, sizeof(number), MSG_NOSIGNAL) == -1)
		err(1, "client %u", number);
	e->asked = true;
}

static void
end(struct end *e)
{
	close(e->fd);
	e->fd = -1;
}

/* Read the other's number, or that it has ended. */
static bool
hear(struct end *e, uint32_t *number)
{
	ssize_t got = recv(e->fd, number, sizeof(*number), MSG_DONTWAIT);

	if (got == sizeof(*number))
		return true;
	if (got != -1 || errno != EAGAIN)
		end(e);
	return false;
}

/* Those that have ended are not there any more, whatever poll() says first. */
static void
accept_one(int listener)
{
	uint32_t i, number, now = 1;

	for (i = 0; i < came; i++)
		if (served[i].fd != -1 && recv(served[i].fd, &number,
		    sizeof(number), MSG_PEEK | MSG_DONTWAIT) == 0)
			end(&served[i]);
	for (i = 0; i < came; i++)
		now += served[i].fd != -1;
	if (now > most)
		most = now;
	if (came == CLIENTS)
		errx(1, "too many connections");
	served[came].fd = accept(listener, NULL, NULL);
	if (served[came].fd == -1)
		err(1, "accept");
	came++;
}

static void
serve(struct end *e, bool answer)
{
	if (!e->asked && hear(e, &e->number)) {
		e->asked = true;
		inversions += e->number < last;
		last = e->number;
	} else if (e->answered) {
		(void)hear(e, &(uint32_t){ 0 });
	}
	if (e->fd != -1 && e->asked && !e->answered && answer) {
		e->answered = true;
		(void)send(e->fd, &e->number, sizeof(e->number), MSG_NOSIGNAL);
	}
}

/* Has it got its own number back, and nobody else's? */
static void
look(struct end *e)
{
	uint32_t number;

	if (hear(e, &number)) {
		if (number != e->number)
			errx(1, "client %u got %u", e->number, number);
		answers++;
		end(e);
	} else if (e->fd == -1) {
		refused++;
	}
}

/*
 * One round over all that are there; *answer*: the server speaks. poll() takes
 * no more entries than there may be descriptors, so each entry is one.
 */
static void
turn(int listener, bool answer)
{
	static struct pollfd p[1 + 2 * CLIENTS];
	static struct end *whose[1 + 2 * CLIENTS];
	nfds_t i, servers, all = 1;

	p[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
	for (i = 0; i < came; i++)
		if (served[i].fd != -1)
			whose[all++] = &served[i];
	servers = all;
	for (i = 0; i < n; i++)
		if (client[i].fd != -1)
			whose[all++] = &client[i];
	for (i = 1; i < all; i++)
		p[i] = (struct pollfd){ .fd = whose[i]->fd, .events = POLLIN };
	if (poll(p, all, 1) == -1)
		err(1, "poll");
	for (i = 1; i < all; i++)
		if (i < servers && (p[i].revents != 0 || answer))
			serve(whose[i], answer);
		else if (i >= servers && p[i].revents != 0)
			look(whose[i]);
	if (p[0].revents != 0)
		accept_one(listener);
}

int
main(int argc, char **argv)
{
	bool order = argc == 5 && strcmp(argv[1], "order") == 0;
	uint32_t i, all = argc == 5 ? (uint32_t)atoi(argv[2]) : 0;
	int listener;
	FILE *log;

	if (all == 0 || all > CLIENTS)
		errx(1, "usage: crowd storm|order N PORTS LOG");
	alarm(120);
	meet_descriptors();
	listener = meet_listen(CLIENTS);
	balancer = meet_balancer(argv[3]);
	if ((log = fopen(argv[4], "re")) == NULL)
		err(1, "%s", argv[4]);
	for (i = 0; i < all; i++) {
		come(&client[i], i);
		n = i + 1;
		while (order && (sessions(log) < n || came == 0))
			turn(listener, false);
	}
	while (answers + refused < all) {
		for (i = 0; order && i < 3; i++)
			rest();
		turn(listener, true);
	}
	printf("most=%u answers=%u refused=%u inversions=%u\n", most, answers,
	    refused, inversions);
	fclose(log);
	return 0;
}
