/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_addr.c: addresses from text and back. Names are never looked up for real:
 * what is not a number is answered by the list in *faked*.
 */
#include "net/addr.h"

#include <arpa/inet.h>
#include <netdb.h>

#include "helpers.h"

static struct addrinfo *faked;
static int	fake_error;
static char	looked_up[300];
static int	socktype, freed;

int
__wrap_getaddrinfo(const char *host, const char *port,
    const struct addrinfo *hints, struct addrinfo **list)
{
	socktype = hints->ai_socktype;
	snprintf(looked_up, sizeof(looked_up), "%s", host);
	if (faked == NULL && fake_error == 0)
		return __real_getaddrinfo(host, port, hints, list);
	*list = faked;
	return fake_error;
}

void
__wrap_freeaddrinfo(struct addrinfo *list)
{
	if (list != faked)
		__real_freeaddrinfo(list);
	freed++;
}

/* What is read, and how it is written again; NULL: the same. */
static const struct {
	const char	*text, *back;
	int		 family;
	uint16_t	 port;
} good[] = {
	{ "127.0.0.1:80", NULL, AF_INET, 80 },
	{ "1.2.3.4:65535", NULL, AF_INET, 65535 },
	{ "0.0.0.0:0", NULL, AF_INET, 0 },
	{ "[::1]:80", NULL, AF_INET6, 80 },
	{ "[2001:db8::7]:1", NULL, AF_INET6, 1 },
	{ "[2001:DB8:0:0:0:0:0:7]:1", "[2001:db8::7]:1", AF_INET6, 1 },
	{ "[::ffff:1.2.3.4]:5", "1.2.3.4:5", AF_INET6, 5 },
	{ "[::fffe:1.2.3.4]:5", "[::fffe:102:304]:5", AF_INET6, 5 },
	{ "[fe80::1%1]:8", NULL, AF_INET6, 8 },
	{ ":80", "[::]:80", AF_INET6, 80 },
	{ "*:81", "[::]:81", AF_INET6, 81 },
	{ "[::]:0", NULL, AF_INET6, 0 },
	{ "unix:/run/x.sock", NULL, AF_UNIX, 0 },
	{ "unix:/a:80", NULL, AF_UNIX, 0 },
	{ "unix:@name", NULL, AF_UNIX, 0 },
	{ "unix:@/a b@:", NULL, AF_UNIX, 0 },
};

TEST(reads_and_writes)
{
	char buf[ADDR_TEXT];
	const char *why;
	struct addr a;
	size_t i;

	for (i = 0; i < COUNT(good); i++) {
		memset(&a, 0xa5, sizeof(a));
		assert_int_equal(addr_parse(good[i].text, ADDR_LISTEN, &a, 1,
		    &why), 1);
		assert_int_equal(a.sa.sa_family, good[i].family);
		assert_int_equal(addr_is_unix(&a), good[i].family == AF_UNIX);
		assert_int_equal(addr_port(&a), good[i].port);
		assert_ptr_equal(addr_format(&a, buf, sizeof(buf)), buf);
		assert_string_equal(buf, good[i].back == NULL ?
		    good[i].text : good[i].back);
	}
}

/* A server may do without a port, and a listener have many. */
TEST(ranges)
{
	static const struct {
		const char *text, *first;
		unsigned    n;		/* 0: it is wrong */
	} ranges[] = {
		{ ":80", ":80", 1 }, { ":8000-8010", ":8000", 11 },
		{ "*:1-65535", "*:1", 65535 }, { "[::1]:7-7", "[::1]:7", 1 },
		{ "a-1.example:80", "a-1.example:80", 1 },
		{ "a-1.example:80-81", "a-1.example:80", 2 },
		{ "unix:/x:1-2", "unix:/x:1-2", 1 }, { "a:b-c", "a:b-c", 1 },
		{ "unix:@1-2", "unix:@1-2", 1 }, { "a-1", "a-1", 1 },
		{ ":81-80", "", 0 }, { ":0-1", "", 0 }, { ":1-65536", "", 0 },
		{ ":1-2-3", "", 0 }, { ":-2", "", 0 }, { ":1-", "", 0 },
		{ ":123456-2", "", 0 },
	};
	static const char *const hosts[] = { "127.0.0.1", "[::1]" };
	char first[100];
	const char *why;
	struct addr a;
	size_t i;

	for (i = 0; i < COUNT(ranges); i++) {
		why = NULL;
		assert_int_equal(addr_ports(ranges[i].text, first,
		    sizeof(first), &why), ranges[i].n);
		if (ranges[i].n > 0)
			assert_string_equal(first, ranges[i].first);
		else
			assert_string_equal(why, "a range of ports is "
			    "LOW-HIGH, from 1 to 65535");
	}
	assert_int_equal(addr_ports(":8000-8010", first, 10, &why), 0);
	for (i = 0; i < COUNT(hosts); i++) {
		assert_int_equal(addr_parse(hosts[i], ADDR_SERVER, &a, 1, &why),
		    1);
		assert_int_equal(addr_port(&a), 0);
		assert_int_equal(addr_parse(hosts[i], ADDR_CONNECT, &a, 1,
		    &why), -1);
	}
	assert_int_equal(addr_parse("127.0.0.1:9", ADDR_SERVER, &a, 1, &why), 1);
	assert_int_equal(addr_port(&a), 9);
}

/* The length is the one that bind() and connect() want. */
TEST(lengths)
{
	const char *why;
	struct addr a;

	assert_int_equal(addr_parse("1.2.3.4:5", ADDR_CONNECT, &a, 1, &why), 1);
	assert_int_equal(a.len, sizeof(struct sockaddr_in));
	assert_int_equal(a.in.sin_addr.s_addr, htonl(0x01020304));
	assert_int_equal(addr_parse("[::1]:5", ADDR_CONNECT, &a, 1, &why), 1);
	assert_int_equal(a.len, sizeof(struct sockaddr_in6));
	assert_memory_equal(&a.in6.sin6_addr, &in6addr_loopback, 16);
	assert_int_equal(addr_parse("*:5", ADDR_LISTEN, &a, 1, &why), 1);
	assert_int_equal(a.len, sizeof(struct sockaddr_in6));
	assert_memory_equal(&a.in6.sin6_addr, &in6addr_any, 16);
	assert_int_equal(addr_parse("unix:/x", ADDR_CONNECT, &a, 1, &why), 1);
	assert_in_range(a.len, offsetof(struct sockaddr_un, sun_path) + 3,
	    sizeof(struct sockaddr_un));
	assert_string_equal(a.un.sun_path, "/x");
}

#define LISTEN_PORT	"the port is a number from 0 to 65535"
#define CONNECT_PORT	"the port is a number from 1 to 65535"

static const struct {
	const char	*text;
	enum addr_use	 use;
	const char	*why;		/* the beginning */
} bad[] = {
	{ "", ADDR_LISTEN, "an address is host:port, :port or unix:/path" },
	{ "1.2.3.4", ADDR_LISTEN, "an address is host:port, :port or" },
	{ "host", ADDR_CONNECT, "an address is host:port or unix:/path" },
	{ ":", ADDR_LISTEN, LISTEN_PORT },
	{ "1.2.3.4:", ADDR_LISTEN, LISTEN_PORT },
	{ "1.2.3.4:65536", ADDR_LISTEN, LISTEN_PORT },
	{ "1.2.3.4:-1", ADDR_LISTEN, LISTEN_PORT },
	{ "1.2.3.4:80x", ADDR_LISTEN, LISTEN_PORT },
	{ "1.2.3.4:http", ADDR_LISTEN, "a port is a number, such as 80" },
	{ ":http", ADDR_LISTEN, "a port is a number, such as 80" },
	{ "http://127.0.0.1:80", ADDR_CONNECT, "an address has no scheme: "
	    "it is host:port or unix:/path" },
	{ "tcp://[::1]:80", ADDR_LISTEN, "an address has no scheme" },
	{ "1.2.3.4:99999999999999999999", ADDR_LISTEN, LISTEN_PORT },
	{ "1.2.3.4:0", ADDR_CONNECT, CONNECT_PORT },
	{ "[::1]:0", ADDR_CONNECT, CONNECT_PORT },
	{ "1.2.3.4:65536", ADDR_CONNECT, CONNECT_PORT },
	{ ":80", ADDR_CONNECT, "the host is missing" },
	{ "*:80", ADDR_CONNECT, "the host is missing" },
	{ "::1", ADDR_LISTEN, "an IPv6 address needs brackets" },
	{ "::1:80", ADDR_CONNECT, "an IPv6 address needs brackets" },
	{ "1.2.3.4:80:90", ADDR_LISTEN, "an IPv6 address needs brackets" },
	{ "[::1]", ADDR_LISTEN, "an IPv6 address is written [::1]:80" },
	{ "[::1]80", ADDR_LISTEN, "an IPv6 address is written [::1]:80" },
	{ "[::1", ADDR_LISTEN, "an IPv6 address is written [::1]:80" },
	{ "[", ADDR_LISTEN, "an IPv6 address is written [::1]:80" },
	{ "unix:", ADDR_LISTEN, "a unix socket is an absolute path" },
	{ "unix:@", ADDR_LISTEN, "an abstract socket has a name" },
	{ "", ADDR_SERVER, "an address is host:port or unix:/path" },
	{ "a:", ADDR_SERVER, CONNECT_PORT },
	{ "[::1", ADDR_SERVER, "an IPv6 address is written [::1]:80" },
	{ "[::1]80", ADDR_SERVER, "an IPv6 address is written [::1]:80" },
	{ "[::1]", ADDR_CONNECT, "an IPv6 address is written [::1]:80" },
	{ "::1", ADDR_SERVER, "an IPv6 address needs brackets" },
	{ "a b", ADDR_SERVER, "a host name has letters" },
	{ "1.2.3.4:0", ADDR_SERVER, CONNECT_PORT },
	{ "*", ADDR_SERVER, "the host is missing" },
	{ "unix:x/y", ADDR_CONNECT, "a unix socket is an absolute path" },
};

TEST(mistakes_are_explained)
{
	const char *why;
	struct addr a;
	size_t i;

	for (i = 0; i < COUNT(bad); i++) {
		why = NULL;
		assert_int_equal(addr_parse(bad[i].text, bad[i].use, &a, 1,
		    &why), -1);
		assert_non_null(why);
		if (strncmp(why, bad[i].why, strlen(bad[i].why)) != 0)
			fail_msg("%s: %s", bad[i].text, why);
	}
}

/* Brackets are for IPv6 addresses, and a port has digits only. */
TEST(more_mistakes)
{
	static const char *const texts[] = {
		"[]:80", "[*]:80", "[1.2.3.4]:80", "1.2.3.4: 80",
		"1.2.3.4:+80", "1.2.3.4:-0", "[::g]:80", "[1::2::3]:80",
		"300.1.1.1:80", "1.2.3.4.5:80", "a b:80", " a:80", "a :80",
		"a\t:80", "a..b:80", "..:80", ".:80", ".a:80", "a..:80",
		"b\303\274cher.example:80", "a/b:80", "a@b:80", "\"a\":80",
		"a%20b:80", "a,b:80",
	};
	const char *why;
	struct addr a;
	size_t i;

	for (i = 0; i < COUNT(texts); i++) {
		why = NULL;
		if (addr_parse(texts[i], ADDR_LISTEN, &a, 1, &why) != -1)
			fail_msg("%s is taken", texts[i]);
		assert_non_null(why);
	}
}

TEST(longest_unix_path)
{
	char text[200] = "unix:/", buf[ADDR_TEXT];
	const char *why;
	struct addr a;

	memset(text + 6, 'p', 106);
	assert_int_equal(addr_parse(text, ADDR_LISTEN, &a, 1, &why), 1);
	assert_string_equal(addr_format(&a, buf, sizeof(buf)), text);
	/* The kernel may fill the path to its last byte, without a NUL. */
	a.un.sun_path[sizeof(a.un.sun_path) - 1] = 'q';
	addr_format(&a, buf, sizeof(buf));
	assert_int_equal(strlen(buf), strlen("unix:") + 108);
	text[112] = 'p';
	assert_int_equal(addr_parse(text, ADDR_LISTEN, &a, 1, &why), -1);
	assert_string_equal(why,
	    "the path of a unix socket has at most 107 bytes");
}

TEST(random_round_trips)
{
	uint64_t seed = random_seed(), r;
	char buf[ADDR_TEXT], again[ADDR_TEXT];
	struct addr a, b;
	const char *why;
	int i, k;

	for (i = 0; i < 20000; i++) {
		memset(&a, 0, sizeof(a));
		if (random_below(&seed, 2) == 0) {
			a.in.sin_family = AF_INET;
			a.in.sin_addr.s_addr = (uint32_t)random_next(&seed);
		} else {
			a.in6.sin6_family = AF_INET6;
			for (k = 0; k < 16; k++) {
				r = random_next(&seed);
				a.in6.sin6_addr.s6_addr[k] = r & 0x300 ? 0 :
				    (uint8_t)r;
			}
			if (IN6_IS_ADDR_V4MAPPED(&a.in6.sin6_addr))
				continue;
		}
		addr_set_port(&a, (uint16_t)(1 + random_below(&seed, 65535)));
		addr_format(&a, buf, sizeof(buf));
		assert_int_equal(addr_parse(buf, ADDR_CONNECT, &b, 1, &why), 1);
		assert_int_equal(b.sa.sa_family, a.sa.sa_family);
		assert_int_equal(addr_port(&b), addr_port(&a));
		if (a.sa.sa_family == AF_INET)
			assert_int_equal(a.in.sin_addr.s_addr,
			    b.in.sin_addr.s_addr);
		else
			assert_memory_equal(&a.in6.sin6_addr,
			    &b.in6.sin6_addr, 16);
		assert_string_equal(addr_format(&b, again, sizeof(again)), buf);
	}
}

/* A list as getaddrinfo() makes it: 10.0.0.1, a unix socket, ::1, 10.0.0.2. */
static void
fake_list(struct addrinfo list[4], struct addr sa[4])
{
	int i;

	memset(list, 0, 4 * sizeof(*list));
	memset(sa, 0, 4 * sizeof(*sa));
	for (i = 0; i < 4; i++) {
		list[i].ai_family = i == 1 ? AF_UNIX :
		    i == 2 ? AF_INET6 : AF_INET;
		sa[i].sa.sa_family = (sa_family_t)list[i].ai_family;
		list[i].ai_addr = &sa[i].sa;
		list[i].ai_addrlen = i == 2 ? sizeof(struct sockaddr_in6) :
		    sizeof(struct sockaddr_in);
		list[i].ai_next = i == 3 ? NULL : &list[i + 1];
	}
	sa[0].in.sin_addr.s_addr = htonl(0x0a000001);
	sa[2].in6.sin6_addr = in6addr_loopback;
	sa[3].in.sin_addr.s_addr = htonl(0x0a000002);
}

int
tear_down(void)
{
	faked = NULL;
	fake_error = 0;
	freed = 0;
	return 0;
}

/* What an answer calls so is no server; what is written so is meant. */
TEST(nowhere)
{
	struct addrinfo list[4];
	struct addr sa[4], out[4];
	const char *why;

	fake_list(list, sa);
	sa[0].in.sin_addr.s_addr = INADDR_ANY;
	sa[2].in6.sin6_addr = in6addr_any;
	faked = list;
	assert_int_equal(addr_parse("www.example:80", ADDR_CONNECT, out, 4,
	    &why), 1);
	assert_int_equal(out[0].in.sin_addr.s_addr, htonl(0x0a000002));
	assert_int_equal(addr_parse("www.example:80", ADDR_LISTEN, out, 4,
	    &why), 3);
	list[0].ai_next = NULL;
	assert_int_equal(addr_parse("www.example:80", ADDR_CONNECT, out, 4,
	    &why), -1);
	assert_non_null(strstr(why, "0.0.0.0"));
	assert_int_equal(addr_parse("0.0.0.0:80", ADDR_CONNECT, out, 4, &why),
	    1);
}

TEST(every_address_of_a_name)
{
	static const char *const want[] = {
		"10.0.0.1:8080", "[::1]:8080", "10.0.0.2:8080"
	};
	struct addrinfo list[4];
	struct addr sa[4], out[4];
	char buf[ADDR_TEXT];
	const char *why;
	int i;

	fake_list(list, sa);
	faked = list;
	memset(out, 0xa5, sizeof(out));
	assert_int_equal(addr_parse("www.example:8080", ADDR_CONNECT, out, 4,
	    &why), 3);
	assert_string_equal(looked_up, "www.example");
	/* Or else each address comes once for every kind of socket. */
	assert_int_equal(socktype, SOCK_STREAM);
	assert_int_equal(freed, 1);
	for (i = 0; i < 3; i++)
		assert_string_equal(addr_format(&out[i], buf, sizeof(buf)),
		    want[i]);
	assert_int_equal(addr_parse("a:20000", ADDR_LISTEN, out, 2, &why), 2);
	assert_int_equal(addr_port(&out[1]), 20000);
	assert_int_equal(freed, 2);
}

TEST(no_more_than_there_is_room_for)
{
	unsigned char untouched[sizeof(struct addr)];
	struct addrinfo list[4];
	struct addr sa[4], out[3];
	const char *why;

	fake_list(list, sa);
	faked = list;
	memset(untouched, 0xa5, sizeof(untouched));
	memset(out, 0xa5, sizeof(out));
	assert_int_equal(addr_parse("a:1", ADDR_LISTEN, out, 2, &why), 2);
	assert_memory_equal(&out[2], untouched, sizeof(out[2]));
}

TEST(names_without_an_address)
{
	struct addrinfo list[4];
	struct addr sa[4], out;
	const char *why;

	fake_error = EAI_NONAME;
	assert_int_equal(addr_parse("no.example:1", ADDR_CONNECT, &out, 1,
	    &why), -1);
	assert_string_equal(why, gai_strerror(EAI_NONAME));
	fake_error = 0;
	fake_list(list, sa);
	list[1].ai_next = NULL;
	faked = &list[1];
	assert_int_equal(addr_parse("no.example:1", ADDR_CONNECT, &out, 1,
	    &why), -1);
	assert_string_equal(why, "the name has no IPv4 or IPv6 address");
	assert_int_equal(freed, 1);
}

TEST(longest_name)
{
	struct addrinfo list[4];
	struct addr sa[4], out;
	char text[300];
	const char *why;
	size_t i;

	fake_list(list, sa);
	faked = list;
	memset(text, 'h', sizeof(text));
	/* Labels of 63. */
	for (i = 63; i < sizeof(text); i += 64)
		text[i] = '.';
	text[254] = 'h';
	strcpy(text + 255, ":80");
	assert_int_equal(addr_parse(text, ADDR_CONNECT, &out, 1, &why), 1);
	assert_int_equal(strlen(looked_up), 255);
	text[255] = '.';
	strcpy(text + 256, ":80");
	assert_int_equal(addr_parse(text, ADDR_CONNECT, &out, 1, &why), -1);
	assert_string_equal(why, "the host name is too long");
	text[0] = '[';
	strcpy(text + 257, "]:80");
	assert_int_equal(addr_parse(text, ADDR_CONNECT, &out, 1, &why), -1);
	assert_string_equal(why, "the host name is too long");
}

TEST(ports)
{
	struct addr a;

	memset(&a, 0, sizeof(a));
	a.sa.sa_family = AF_INET;
	addr_set_port(&a, 258);
	assert_int_equal(a.in.sin_port, htons(258));
	assert_int_equal(addr_port(&a), 258);
	a.sa.sa_family = AF_INET6;
	addr_set_port(&a, 65535);
	assert_int_equal(a.in6.sin6_port, 65535);
	assert_int_equal(addr_port(&a), 65535);
	memset(&a, 0, sizeof(a));
	a.sa.sa_family = AF_UNIX;
	strcpy(a.un.sun_path, "/p");
	addr_set_port(&a, 7);
	assert_string_equal(a.un.sun_path, "/p");
	assert_int_equal(addr_port(&a), 0);
}

static const struct {
	const char *text, *endpoint;
} endpoints[] = {
	{ "9.8.7.6:5", "9.8.7.6:5" },
	{ "[2001:db8::7]:65535", "[2001:db8::7]:65535" },
	{ "[fe80::1%1]:80", "[fe80::1%1]:80" },
	{ "[::ffff:9.8.7.6]:5", "9.8.7.6:5" },
	{ "unix:/a/path", "unix:" },
};

TEST(endpoints)
{
	char buf[ADDR_TEXT];
	struct endpoint e;
	const char *why;
	struct addr a;
	size_t i;

	assert_int_equal(sizeof(struct endpoint), 24);
	for (i = 0; i < COUNT(endpoints); i++) {
		assert_int_equal(addr_parse(endpoints[i].text, ADDR_LISTEN, &a,
		    1, &why), 1);
		memset(&e, 0xa5, sizeof(e));
		endpoint_set(&e, &a);
		assert_int_equal(e.port, addr_port(&a));
		assert_int_equal(e.family, a.sa.sa_family);
		assert_ptr_equal(endpoint_format(&e, buf, sizeof(buf)), buf);
		assert_string_equal(buf, endpoints[i].endpoint);
	}
}

TEST(text_is_cut_to_the_buffer)
{
	char buf[12];
	struct endpoint e;
	const char *why;
	struct addr a;
	size_t i, size;

	for (i = 0; i < COUNT(good); i++) {
		addr_parse(good[i].text, ADDR_LISTEN, &a, 1, &why);
		endpoint_set(&e, &a);
		for (size = 1; size < sizeof(buf); size++) {
			memset(buf, '#', sizeof(buf));
			addr_format(&a, buf, size);
			assert_true(strnlen(buf, size) < size);
			assert_int_equal(buf[size], '#');
			memset(buf, '#', sizeof(buf));
			endpoint_format(&e, buf, size);
			assert_true(strnlen(buf, size) < size);
			assert_int_equal(buf[size], '#');
		}
	}
}

/* The longest there is fits into ADDR_TEXT. */
TEST(room_for_any_address)
{
	char buf[ADDR_TEXT];
	struct addr a;

	memset(&a, 0, sizeof(a));
	a.in6.sin6_family = AF_INET6;
	memset(&a.in6.sin6_addr, 0xfe, 16);
	a.in6.sin6_scope_id = UINT32_MAX;
	addr_set_port(&a, 65535);
	assert_string_equal(addr_format(&a, buf, sizeof(buf)),
	    "[fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe%4294967295]:65535");
}
