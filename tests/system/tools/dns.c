/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * dns.c: a name server for tests, on one port of loopback by UDP and TCP. What it
 * says stands in a file that is read anew for each question, one record a line:
 *
 *	NAME A|AAAA TTL ADDRESS
 *	NAME SRV TTL PRIORITY WEIGHT PORT TARGET
 *	NAME CNAME TTL TARGET		(the target is another question)
 *	ZONE SOA TTL MINIMUM		(where there is nothing, in that zone)
 *
 * or a word that makes it misbehave: silent, servfail, refused, nxdomain,
 * truncate (over UDP), garbage; or, for questions of one type, of all names or
 * of one, "failing TYPE [NAME]" and "mute TYPE [NAME]".
 * Prints its address, then each question on a line: name, type, protocol, and
 * when it came, in ms.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define HEADER	12
#define CLIENTS	8

enum { A = 1, CNAME = 5, SOA = 6, AAAA = 28, SRV = 33 };
enum { NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED };

struct reply {
	unsigned char	 bytes[65535];
	size_t		 n;
};

static void
put(struct reply *r, const void *bytes, size_t n)
{
	if (r->n + n > sizeof(r->bytes))
		errx(1, "the answer is too long");
	memcpy(r->bytes + r->n, bytes, n);
	r->n += n;
}

static void
put16(struct reply *r, unsigned n)
{
	unsigned char bytes[2] = { (unsigned char)(n >> 8), (unsigned char)n };

	put(r, bytes, 2);
}

static void
put_name(struct reply *r, const char *name)
{
	unsigned char n;

	for (; *name != '\0'; name += name[n] == '.' ? n + 1 : n) {
		n = (unsigned char)strcspn(name, ".");
		if (n == 0)
			break;
		put(r, &n, 1);
		put(r, name, n);
	}
	put(r, "", 1);
}

/* The question of a message as text; 0: it has none. */
static size_t
read_name(const unsigned char *m, size_t len, char *name, size_t size)
{
	size_t at = HEADER, used = 0, n;

	while (at < len && (n = m[at]) != 0) {
		if (at + 1 + n >= len || used + n + 2 > size)
			return 0;
		memcpy(name + used, m + at + 1, n);
		used += n;
		name[used++] = '.';
		at += 1 + n;
	}
	name[used > 0 ? used - 1 : 0] = '\0';
	return at + 5 <= len ? at + 5 : 0;
}

/* Owner, type, class and TTL; the length is set when the rest is there. */
static void
put_record(struct reply *r, int type, unsigned long ttl, char *rest)
{
	unsigned char ip[16];
	unsigned priority, weight, port;
	char target[256];
	size_t at;

	put16(r, 0xc000 | HEADER);
	put16(r, (unsigned)type);
	put16(r, 1);
	put16(r, (unsigned)(ttl >> 16));
	put16(r, (unsigned)(ttl & 0xffff));
	at = r->n;
	put16(r, 0);
	rest[strcspn(rest, "\n")] = '\0';
	if (type == SRV) {
		if (sscanf(rest, "%u %u %u %255s", &priority, &weight, &port,
		    target) != 4)
			errx(1, "SRV %s", rest);
		put16(r, priority);
		put16(r, weight);
		put16(r, port);
		put_name(r, target);
	} else if (type == SOA) {
		/* Both names and all numbers but the last are nothing. */
		put(r, (char[2 + 4 * 4]){ 0 }, 2 + 4 * 4);
		put16(r, (unsigned)(strtoul(rest, NULL, 10) >> 16));
		put16(r, (unsigned)(strtoul(rest, NULL, 10) & 0xffff));
	} else if (type == CNAME) {
		put_name(r, rest);
	} else {
		if (inet_pton(type == A ? AF_INET : AF_INET6, rest, ip) != 1)
			errx(1, "address %s", rest);
		put(r, ip, type == A ? 4 : 16);
	}
	r->bytes[at] = (unsigned char)((r->n - at - 2) >> 8);
	r->bytes[at + 1] = (unsigned char)(r->n - at - 2);
}

static int
type_of(const char *word)
{
	return strcmp(word, "A") == 0 ? A : strcmp(word, "AAAA") == 0 ? AAAA :
	    strcmp(word, "SRV") == 0 ? SRV : strcmp(word, "SOA") == 0 ? SOA :
	    strcmp(word, "CNAME") == 0 ? CNAME : 0;
}

/* Is this "WORD TYPE [NAME]", and that what is asked for? */
static bool
is_about(const char *line, const char *word, const char *name, int type)
{
	char what[8], which[8], whom[256];
	int n = sscanf(line, "%7s %7s %255s", what, which, whom);

	return n >= 2 && strcmp(what, word) == 0 && type_of(which) == type &&
	    (n == 2 || strcasecmp(whom, name) == 0);
}

/* Is this the SOA of the zone that the name is in? Put it into *soa*, if so. */
static bool
is_soa(const char *line, const char *name, char soa[400])
{
	char zone[256];
	size_t n, all = strlen(name);

	if (sscanf(line, "%255s %399[^\n]", zone, soa) != 2 ||
	    strncmp(soa, "SOA ", 4) != 0 || (n = strlen(zone)) > all ||
	    strcasecmp(name + all - n, zone) != 0) {
		soa[0] = '\0';
		return false;
	}
	return true;
}

/* There is nothing: for how long stands in the authority section. */
static void
put_soa(struct reply *r, const char *soa)
{
	unsigned long ttl;
	char minimum[32];

	if (sscanf(soa, "SOA %lu %31s", &ttl, minimum) != 2)
		errx(1, "%s", soa);
	put_record(r, SOA, ttl, minimum);
	r->bytes[9] = 1;
}

/* All that fits. Returns the code of the answer, -1: none. */
static int
look_up(const char *file, const char *name, int type, bool tcp,
    struct reply *r)
{
	static const char *const words[] = {
		"", "", "servfail", "nxdomain", "", "refused"
	};
	char line[400], owner[256], word[8], soa[400] = "", one[400];
	unsigned long ttl;
	bool known = false;
	unsigned answers = 0;
	int at, code;
	FILE *f;

	if ((f = fopen(file, "re")) == NULL)
		err(1, "%s", file);
	while (fgets(line, sizeof(line), f) != NULL) {
		for (code = SERVFAIL; code <= REFUSED; code++)
			if (words[code][0] != '\0' && strncmp(line, words[code],
			    strlen(words[code])) == 0)
				goto done;
		code = SERVFAIL;
		if (is_about(line, "failing", name, type))
			goto done;
		code = -1;
		if (strncmp(line, "silent", 6) == 0 ||
		    is_about(line, "mute", name, type))
			goto done;
		if (strncmp(line, "garbage", 7) == 0)
			memset(r->bytes + HEADER, 0xff, r->n - HEADER);
		if (strncmp(line, "truncate", 8) == 0 && !tcp)
			r->bytes[2] |= 2;
		if (is_soa(line, name, one)) {
			strcpy(soa, one);
			continue;
		}
		if (sscanf(line, "%255s %7s %lu %n", owner, word, &ttl,
		    &at) != 3 || strcasecmp(owner, name) != 0)
			continue;
		known = true;
		code = type_of(word);
		if ((code != type && code != CNAME) || (r->bytes[2] & 2) != 0)
			continue;
		put_record(r, code, ttl, line + at);
		answers++;
	}
	code = known ? NOERROR : NXDOMAIN;
	if (answers == 0 && soa[0] != '\0')
		put_soa(r, soa);
done:
	fclose(f);
	r->bytes[6] = (unsigned char)(answers >> 8);
	r->bytes[7] = (unsigned char)answers;
	return code;
}

static unsigned long long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (unsigned long long)ts.tv_sec * 1000 +
	    (unsigned long long)ts.tv_nsec / 1000000;
}

/* 0: there is nothing to say. */
static size_t
answer(const char *file, const unsigned char *m, size_t len, bool tcp,
    struct reply *r)
{
	char name[256];
	size_t end;
	int code, type;

	if (len < HEADER ||
	    (end = read_name(m, len, name, sizeof(name))) == 0)
		return 0;
	type = m[end - 4] << 8 | m[end - 3];
	printf("%s %d %s %llu\n", name, type, tcp ? "tcp" : "udp", now_ms());
	fflush(stdout);
	r->n = 0;
	put(r, m, end);
	/* An answer, and what was asked comes back; nothing additional. */
	r->bytes[2] = 0x80 | (m[2] & 1);
	r->bytes[3] = 0x80;
	memset(r->bytes + 8, 0, 4);
	if ((code = look_up(file, name, type, tcp, r)) == -1)
		return 0;
	r->bytes[3] |= (unsigned char)code;
	return r->n;
}

static void
serve_udp(int fd, const char *file, struct reply *r)
{
	unsigned char m[1500];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(fd, m, sizeof(m), 0, (struct sockaddr *)&from,
	    &len);
	size_t size;

	if (n <= 0 || (size = answer(file, m, (size_t)n, false, r)) == 0)
		return;
	(void)sendto(fd, r->bytes, size, 0, (struct sockaddr *)&from, len);
}

/* One question, in one piece: loopback is kind. -1: it is over. */
static int
serve_tcp(int fd, const char *file, struct reply *r)
{
	unsigned char m[1500], head[2];
	ssize_t n = recv(fd, m, sizeof(m), 0);
	size_t size;

	if (n <= 2)
		return -1;
	if ((size = answer(file, m + 2, (size_t)n - 2, true, r)) == 0)
		return 0;
	head[0] = (unsigned char)(size >> 8);
	head[1] = (unsigned char)size;
	(void)send(fd, head, 2, MSG_NOSIGNAL | MSG_MORE);
	(void)send(fd, r->bytes, size, MSG_NOSIGNAL);
	return 0;
}

/* The same port for both; another one if somebody else has it for TCP. */
static void
open_port(unsigned port, int *udp, int *tcp)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int tries, on = 1;

	for (tries = 0; tries < 20; tries++) {
		a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		a.sin_port = htons((uint16_t)port);
		*udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		*tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		(void)setsockopt(*tcp, SOL_SOCKET, SO_REUSEADDR, &on,
		    sizeof(on));
		if (bind(*udp, (struct sockaddr *)&a, len) == 0 &&
		    getsockname(*udp, (struct sockaddr *)&a, &len) == 0 &&
		    bind(*tcp, (struct sockaddr *)&a, len) == 0 &&
		    listen(*tcp, 5) == 0) {
			printf("127.0.0.1:%u\n", ntohs(a.sin_port));
			fflush(stdout);
			return;
		}
		close(*udp);
		close(*tcp);
	}
	err(1, "port %u", port);
}

/* usage: dns FILE [PORT] */
int
main(int argc, char *argv[])
{
	static struct reply reply;
	struct pollfd p[2 + CLIENTS];
	int i;

	if (argc < 2)
		errx(1, "usage: dns FILE [PORT]");
	for (i = 0; i < 2 + CLIENTS; i++)
		p[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	open_port(argc > 2 ? (unsigned)atoi(argv[2]) : 0, &p[0].fd, &p[1].fd);
	/* A test that was killed leaves nothing behind for long. */
	alarm(1800);
	for (;;) {
		if (poll(p, 2 + CLIENTS, -1) == -1)
			err(1, "poll");
		if (p[0].revents != 0)
			serve_udp(p[0].fd, argv[1], &reply);
		for (i = 2; i < 2 + CLIENTS; i++)
			if (p[i].fd != -1 && p[i].revents != 0 &&
			    serve_tcp(p[i].fd, argv[1], &reply) == -1) {
				close(p[i].fd);
				p[i].fd = -1;
			}
		for (i = 2; i < 2 + CLIENTS && p[i].fd != -1; i++)
			;
		if (p[1].revents != 0 && i < 2 + CLIENTS)
			p[i].fd = accept(p[1].fd, NULL, NULL);
	}
}
