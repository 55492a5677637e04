/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The shuttled authors */
/*
 * test_cidr.c: lists of networks, against a reference that tries one rule after the
 * other, bit by bit; how they are written, and what is said when they are not.
 */
#include "net/cidr.h"

#include "helpers.h"

#include <arpa/inet.h>

#define RULES		60
#define MANY		100000

struct fixture {
	struct cidr	*c;
	char		 dir[64];
	char		 file[80];
	char		 why[CIDR_WHY];
};

static struct fixture *f;

int
set_up(void)
{
	assert_non_null(f = calloc(1, sizeof(*f)));
	make_dir(f->dir, sizeof(f->dir));
	snprintf(f->file, sizeof(f->file), "%s/nets", f->dir);
	f->c = cidr_new();
	assert_non_null(f->c);
	return 0;
}

int
tear_down(void)
{
	cidr_free(f->c);
	remove_dir(f->dir);
	free(f);
	return 0;
}

static void
add(const char *network, enum cidr_verdict v)
{
	if (cidr_add(f->c, network, v, f->why) == -1)
		fail_msg("%s: %s", network, f->why);
}

static struct endpoint
client(const char *text)
{
	struct endpoint e = { .family = AF_UNIX, .port = 1234 };

	if (inet_pton(AF_INET, text, e.ip) == 1)
		e.family = AF_INET;
	else if (inet_pton(AF_INET6, text, e.ip) == 1)
		e.family = AF_INET6;
	return e;
}

static void
want(const char *text, enum cidr_verdict v)
{
	struct endpoint e = client(text);

	if (cidr_find(f->c, &e) != v)
		fail_msg("%s: %d, not %d", text, cidr_find(f->c, &e), v);
}

TEST(empty)
{
	assert_int_equal(cidr_build(f->c), 0);
	want("10.0.0.1", CIDR_NONE);
	want("::1", CIDR_NONE);
	want("unix:", CIDR_NONE);
	cidr_free(NULL);
}

/* The first that fits decides, not the longest. */
TEST(order)
{
	add("10.1.2.3", CIDR_DENY);
	add("10.1.0.0/16", CIDR_ALLOW);
	add("10.1.9.0/24", CIDR_DENY);
	add("10.0.0.0/8", CIDR_DENY);
	add("10.0.0.0/8", CIDR_ALLOW);
	add("2001:db8:1::/48", CIDR_ALLOW);
	add("2001:db8::/32", CIDR_DENY);
	add("unix:", CIDR_ALLOW);
	add("::/0", CIDR_ALLOW);
	add("all", CIDR_DENY);
	add("192.0.2.1", CIDR_ALLOW);
	assert_int_equal(cidr_build(f->c), 0);
	want("10.1.2.3", CIDR_DENY);
	want("10.1.2.2", CIDR_ALLOW);
	want("10.1.2.4", CIDR_ALLOW);
	want("10.1.9.1", CIDR_ALLOW);
	want("10.0.255.255", CIDR_DENY);
	want("10.2.0.0", CIDR_DENY);
	want("9.255.255.255", CIDR_DENY);
	want("192.0.2.1", CIDR_DENY);
	want("::ffff:10.1.2.4", CIDR_ALLOW);
	want("::ffff:11.0.0.0", CIDR_DENY);
	want("2001:db8:1::7", CIDR_ALLOW);
	want("2001:db8:2::7", CIDR_DENY);
	want("fe80::1", CIDR_ALLOW);
	want("unix:", CIDR_ALLOW);
}

/* ::/0 is not all: who denies IPv6 does not deny IPv4. */
TEST(families)
{
	add("::/0", CIDR_DENY);
	add("::ffff:10.0.0.0/104", CIDR_ALLOW);
	add("::ffff:192.0.2.7", CIDR_ALLOW);
	assert_int_equal(cidr_build(f->c), 0);
	want("::", CIDR_DENY);
	want("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", CIDR_DENY);
	want("::ffff:9.0.0.1", CIDR_NONE);
	want("9.0.0.1", CIDR_NONE);
	want("10.0.0.1", CIDR_ALLOW);
	want("::ffff:10.0.0.1", CIDR_ALLOW);
	want("192.0.2.7", CIDR_ALLOW);
	want("unix:", CIDR_NONE);
}

/* At both ends of the addresses nothing wraps around. */
TEST(edges)
{
	add("255.255.255.255", CIDR_DENY);
	add("255.255.255.0/24", CIDR_ALLOW);
	add("0.0.0.0", CIDR_DENY);
	add("128.0.0.0/1", CIDR_DENY);
	add("ffff::/16", CIDR_DENY);
	add("::", CIDR_DENY);
	add("0:0:0:1::/64", CIDR_ALLOW);
	assert_int_equal(cidr_build(f->c), 0);
	want("0.0.0.0", CIDR_DENY);
	want("0.0.0.1", CIDR_NONE);
	want("127.255.255.255", CIDR_NONE);
	want("128.0.0.0", CIDR_DENY);
	want("255.255.255.254", CIDR_ALLOW);
	want("255.255.255.255", CIDR_DENY);
	want("::", CIDR_DENY);
	want("::1", CIDR_NONE);
	want("::ffff:ffff:ffff:ffff", CIDR_NONE);
	want("0:0:0:1::", CIDR_ALLOW);
	want("0:0:0:1:ffff:ffff:ffff:ffff", CIDR_ALLOW);
	want("0:0:0:2::", CIDR_NONE);
	want("fffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", CIDR_NONE);
	want("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", CIDR_DENY);
}

/* What a random list was made of. */
struct rule {
	struct endpoint	net;
	unsigned	len;
	enum cidr_verdict verdict;
};

static bool
bit(const unsigned char *ip, unsigned i)
{
	return ip[i / 8] >> (7 - i % 8) & 1;
}

/* Zeros behind the prefix. */
static void
cut(unsigned char *ip, unsigned len)
{
	for (; len < 128; len++)
		ip[len / 8] &= (unsigned char)~(0x80 >> len % 8);
}

/* The IPv4 client that one of IPv6 really is. */
static struct endpoint
unmapped(struct endpoint e)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (e.family == AF_INET6 && memcmp(e.ip, mapped, 12) == 0) {
		memmove(e.ip, e.ip + 12, 4);
		e.family = AF_INET;
	}
	return e;
}

static bool
fits(const struct rule *r, const struct endpoint *e)
{
	struct endpoint net = r->net;
	unsigned i, len = r->len;

	if (net.family == AF_INET6 && len >= 96) {
		net = unmapped(net);
		len -= net.family == AF_INET ? 96 : 0;
	}
	if (net.family != e->family)
		return false;
	for (i = 0; i < len; i++)
		if (bit(net.ip, i) != bit(e->ip, i))
			return false;
	return true;
}

static enum cidr_verdict
reference(const struct rule *r, size_t n, struct endpoint e)
{
	e = unmapped(e);
	for (; n > 0; n--, r++)
		if (fits(r, &e))
			return r->verdict;
	return CIDR_NONE;
}

/* Few different bytes, so that networks meet. */
static struct endpoint
random_client(uint64_t *seed)
{
	static const unsigned char bytes[] = { 0, 0, 0, 1, 0x80, 0xfe, 0xff };
	struct endpoint e = { .family = AF_INET };
	int i;

	for (i = 0; i < 16; i++)
		e.ip[i] = bytes[random_below(seed, COUNT(bytes))];
	if (random_below(seed, 2) == 0)
		return e;
	e.family = AF_INET6;
	if (random_below(seed, 4) == 0) {
		memset(e.ip, 0, 10);
		memset(e.ip + 10, 0xff, 2);
	} else if (random_below(seed, 2) == 0)
		memset(e.ip, 0x20, 14);
	return e;
}

static struct rule
random_rule(uint64_t *seed, bool one_verdict)
{
	struct rule r = { .net = random_client(seed) };
	unsigned max = r.net.family == AF_INET ? 32 : 128;

	r.len = random_below(seed, 8) == 0 ? max : random_below(seed, max + 1);
	r.verdict = one_verdict || random_below(seed, 2) == 0 ? CIDR_DENY :
	    CIDR_ALLOW;
	cut(r.net.ip, r.len);
	return r;
}

/* One of the network's addresses, its first, its last, or one beside it. */
static struct endpoint
near(uint64_t *seed, const struct rule *r)
{
	struct endpoint e = r->net;
	unsigned i, max = e.family == AF_INET ? 32 : 128;
	uint32_t how = random_below(seed, 4);

	for (i = r->len; i < max; i++)
		if (how == 1 || (how == 2 && random_below(seed, 2) == 1))
			e.ip[i / 8] |= (unsigned char)(0x80 >> i % 8);
	for (i = max / 8; how == 3 && i-- > 0; )
		if (e.ip[i]-- != 0)
			break;
	return e;
}

static void
add_rule(const struct rule *r)
{
	char ip[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];

	inet_ntop(r->net.family, r->net.ip, ip, sizeof(ip));
	snprintf(text, sizeof(text), "%s/%u", ip, r->len);
	add(text, r->verdict);
}

static void
compare(const struct rule *r, size_t n,
    struct endpoint e)
{
	char text[ADDR_TEXT];

	if (cidr_find(f->c, &e) != reference(r, n, e))
		fail_msg("%s: %d", endpoint_format(&e, text, sizeof(text)),
		    cidr_find(f->c, &e));
}

TEST(random)
{
	uint64_t seed = random_seed();
	struct rule r[RULES];
	size_t i, n;
	int round;

	for (round = 0; round < 300; round++) {
		n = random_below(&seed, RULES) + 1;
		cidr_free(f->c);
		f->c = cidr_new();
		assert_non_null(f->c);
		for (i = 0; i < n; i++) {
			r[i] = random_rule(&seed, round % 3 == 0);
			add_rule(&r[i]);
		}
		assert_int_equal(cidr_build(f->c), 0);
		for (i = 0; i < 100; i++) {
			compare(r, n, random_client(&seed));
			compare(r, n, near(&seed, &r[i % n]));
		}
	}
}

/* Each within the one before, all prefixes there are. */
TEST(deep)
{
	struct rule r[129];
	struct endpoint e;
	unsigned i;

	for (i = 0; i < COUNT(r); i++) {
		r[i] = (struct rule){ .len = 128 - i,
		    .verdict = i % 2 == 0 ? CIDR_DENY : CIDR_ALLOW };
		memset(r[i].net.ip, 0xff, 16);
		cut(r[i].net.ip, r[i].len);
		r[i].net.family = AF_INET6;
		add_rule(&r[i]);
	}
	assert_int_equal(cidr_build(f->c), 0);
	for (i = 0; i < 128; i++) {
		e = r[0].net;
		compare(r, COUNT(r), e);
		e.ip[i / 8] ^= (unsigned char)(0x80 >> i % 8);
		compare(r, COUNT(r), e);
	}
}

static const struct {
	const char *text, *why;
} wrong[] = {
	{ "", "a network is written 10.0.0.0/8, 2001:db8::/32, unix: or all" },
	{ "/8", "a network is written 10.0.0.0/8, 2001:db8::/32, unix: or "
	    "all" },
	{ "ALL", "a network is written 10.0.0.0/8, 2001:db8::/32, unix: or "
	    "all" },
	{ "www.example.net", "a network is written 10.0.0.0/8, 2001:db8::/32, "
	    "unix: or all" },
	{ "a-name-that-is-much-longer-than-any-address-can-ever-be.example",
	    "a network is written 10.0.0.0/8, 2001:db8::/32, unix: or all" },
	{ "10/8", "an IPv4 network has four numbers from 0 to 255: "
	    "10.0.0.0/8" },
	{ "10.0.0.0.0", "an IPv4 network has four numbers from 0 to 255: "
	    "10.0.0.0/8" },
	{ "10.0.0.256", "an IPv4 network has four numbers from 0 to 255: "
	    "10.0.0.0/8" },
	{ "010.0.0.1", "an IPv4 network has four numbers from 0 to 255: "
	    "10.0.0.0/8" },
	{ "10.0.0.1:80", "a network has no port: 10.0.0.0/8" },
	{ "[2001:db8::]/32", "a network has no brackets: 2001:db8::/32" },
	{ "fe80::%eth0/10", "a network has no interface: fe80::/10" },
	{ "2001:db8:/32", "an IPv6 network is written 2001:db8::/32" },
	{ "2001:db8::g", "an IPv6 network is written 2001:db8::/32" },
	{ "10.0.0.0/", "the prefix is a number from 0 to 32: 10.0.0.0/8" },
	{ "10.0.0.0/33", "the prefix is a number from 0 to 32: 10.0.0.0/8" },
	{ "10.0.0.0/-1", "the prefix is a number from 0 to 32: 10.0.0.0/8" },
	{ "10.0.0.0/ 8", "the prefix is a number from 0 to 32: 10.0.0.0/8" },
	{ "10.0.0.0/8;", "the prefix is a number from 0 to 32: 10.0.0.0/8" },
	{ "10.0.0.0/255.0.0.0", "the prefix is a number from 0 to 32: "
	    "10.0.0.0/8" },
	{ "::/129", "the prefix is a number from 0 to 128: 2001:db8::/32" },
	{ "::/x", "the prefix is a number from 0 to 128: 2001:db8::/32" },
	{ "10.1.2.3/8", "an address with a prefix: write 10.0.0.0/8 for the "
	    "network, 10.1.2.3 for the address" },
	{ "10.0.0.1/0", "an address with a prefix: write 0.0.0.0/0 for the "
	    "network, 10.0.0.1 for the address" },
	{ "10.0.0.1/31", "an address with a prefix: write 10.0.0.0/31 for the "
	    "network, 10.0.0.1 for the address" },
	{ "2001:db8::1/127", "an address with a prefix: write 2001:db8::/127 "
	    "for the network, 2001:db8::1 for the address" },
	{ "2001:db8::/16", "an address with a prefix: write 2001::/16 for the "
	    "network, 2001:db8:: for the address" },
	{ "::ffff:10.0.0.1/104", "an address with a prefix: write 10.0.0.0/8 "
	    "for the network, 10.0.0.1 for the address" },
	{ "::ffff:0:0/95", "an address with a prefix: write ::fffe:0:0/95 for "
	    "the network, ::ffff:0.0.0.0 for the address" },
};

TEST(wrong)
{
	size_t i;

	for (i = 0; i < COUNT(wrong); i++) {
		f->why[0] = '\0';
		errno = 0;
		assert_int_equal(cidr_add(f->c, wrong[i].text, CIDR_DENY,
		    f->why), -1);
		assert_int_equal(errno, EINVAL);
		assert_string_equal(f->why, wrong[i].why);
	}
	/* Nothing of it is in the list. */
	assert_int_equal(cidr_build(f->c), 0);
	want("10.0.0.1", CIDR_NONE);
	want("2001:db8::", CIDR_NONE);
}

TEST(file)
{
	write_file(f->file, "# who is not wanted\n\n"
	    "10.0.0.0/8\n  \t192.0.2.0/24\t # a comment\r\n10.0.0.0/8\n"
	    "10.9.0.0/16#inside\n \n2001:db8::/32");
	add("10.9.9.9", CIDR_ALLOW);
	assert_int_equal(cidr_read(f->c, f->file, CIDR_DENY, f->why), 5);
	add("0.0.0.0/0", CIDR_ALLOW);
	assert_int_equal(cidr_build(f->c), 0);
	want("10.9.9.9", CIDR_ALLOW);
	want("10.9.9.8", CIDR_DENY);
	want("192.0.2.255", CIDR_DENY);
	want("192.0.3.0", CIDR_ALLOW);
	want("2001:db8::1", CIDR_DENY);
	want("2001:db9::1", CIDR_NONE);
}

static void
refused(const char *text, int line, const char *why)
{
	char whole[256];

	write_file(f->file, text);
	assert_int_equal(cidr_read(f->c, f->file, CIDR_DENY, f->why), -1);
	assert_int_equal(errno, EINVAL);
	snprintf(whole, sizeof(whole), "%s:%d: %s", f->file, line, why);
	assert_string_equal(f->why, whole);
}

TEST(wrong_lines)
{
	FILE *out;

	refused("10.0.0.0/8\n# x\n10.0.0.0/33\n", 3,
	    "the prefix is a number from 0 to 32: 10.0.0.0/8");
	refused("\n10.0.0.0/8 10.1.0.0/16\n", 2,
	    "one network a line, followed only by a comment after #");
	refused("deny 10.0.0.0/8;", 1,
	    "one network a line, followed only by a comment after #");
	refused("::1\n::1/64", 2, "an address with a prefix: write ::/64 "
	    "for the network, ::1 for the address");
	out = fopen(f->file, "w");
	assert_non_null(out);
	fwrite("::1\n::2\0\n", 1, 9, out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(cidr_read(f->c, f->file, CIDR_DENY, f->why), -1);
	assert_non_null(strstr(f->why, "nets:2: a NUL byte: this is not a "
	    "list of networks"));
}

TEST(no_file)
{
	int before = open_descriptors();

	assert_int_equal(cidr_read(f->c, f->file, CIDR_DENY, f->why), -1);
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(f->why, "nets: No such file or directory"));
	assert_int_equal(cidr_read(f->c, f->dir, CIDR_DENY, f->why), -1);
	assert_int_equal(errno, EISDIR);
	assert_non_null(strstr(f->why, ": this is a directory, not a file"));
	write_file(f->file, "");
	assert_int_equal(cidr_read(f->c, f->file, CIDR_DENY, f->why), 0);
	assert_int_equal(open_descriptors(), before);
}

/* Whatever allocation fails: errno says so, and it works the next time. */
TEST(memory)
{
	int n;

	alloc_needed();
	alloc_fail(0);
	assert_null(cidr_new());
	assert_true(alloc_failed());
	for (n = 0; n < 2; n++) {
		alloc_fail(n);
		assert_int_equal(cidr_add(f->c, "all", CIDR_DENY, f->why), -1);
		assert_true(alloc_failed());
		assert_int_equal(errno, ENOMEM);
		assert_string_equal(f->why, strerror(ENOMEM));
	}
	add("10.0.0.0/8", CIDR_ALLOW);
	add("all", CIDR_DENY);
	for (n = 0; ; n++) {
		alloc_fail(n);
		if (cidr_build(f->c) == 0)
			break;
		assert_true(alloc_failed());
		assert_int_equal(errno, ENOMEM);
	}
	assert_false(alloc_failed());
	assert_int_equal(n, 11);
	want("::1", CIDR_DENY);
}

/* As many as somebody may have: all found, all others not, in no time. */
TEST(many)
{
	FILE *out = fopen(f->file, "w");
	struct endpoint e = { .family = AF_INET };
	uint32_t i, ip, n = 0;

	assert_non_null(out);
	for (i = 0; i < MANY; i++) {
		/* every third /24, in an order that is none */
		ip = i * 7919 % MANY * 3;
		fprintf(out, "%u.%u.%u.0/24\n", ip >> 16, ip >> 8 & 255,
		    ip & 255);
	}
	assert_int_equal(fclose(out), 0);
	assert_int_equal(cidr_read(f->c, f->file, CIDR_DENY, f->why), MANY);
	assert_int_equal(cidr_build(f->c), 0);
	assert_true(cidr_bytes(f->c) <= 1100000);
	for (i = 0; i < 3 * MANY + 3; i++) {
		ip = htonl(i << 8 | (i & 255));
		memcpy(e.ip, &ip, sizeof(ip));
		n += (cidr_find(f->c, &e) == CIDR_DENY) !=
		    (i % 3 == 0 && i < 3 * MANY);
	}
	assert_int_equal(n, 0);
}
