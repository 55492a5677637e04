# Fuzz targets: ../configure CC=clang --enable-fuzzers --enable-sanitizers, then
#	make && tests/fuzz/run.sh SECONDS
# runs each over its corpus for so long; or one alone:
#	tests/fuzz/fuzz_addr -dict=SRCDIR/tests/fuzz/addr.dict CORPUS
# A target fuzz_X has its words in X.dict and its first inputs in corpus/X.
EXTRA_DIST += tests/fuzz/run.sh tests/fuzz/corpus \
	tests/fuzz/addr.dict \
	tests/fuzz/cidr.dict \
	tests/fuzz/conf.dict \
	tests/fuzz/dialog.dict \
	tests/fuzz/log_format.dict \
	tests/fuzz/names.dict \
	tests/fuzz/options.dict \
	tests/fuzz/proxyproto.dict

if FUZZERS
FUZZ_TARGETS = \
	tests/fuzz/fuzz_addr \
	tests/fuzz/fuzz_cidr \
	tests/fuzz/fuzz_conf \
	tests/fuzz/fuzz_dialog \
	tests/fuzz/fuzz_log_format \
	tests/fuzz/fuzz_names \
	tests/fuzz/fuzz_options \
	tests/fuzz/fuzz_proxyproto
if HAVE_CMOCKA
FUZZ_TARGETS += tests/fuzz/fuzz_session
endif
noinst_PROGRAMS += $(FUZZ_TARGETS)

# What is fuzzed is compiled anew, so that libFuzzer sees its branches.
noinst_LIBRARIES += tests/fuzz/libfuzzed.a
tests_fuzz_libfuzzed_a_SOURCES = $(libshuttle_a_SOURCES) $(libbalancer_a_SOURCES)
tests_fuzz_libfuzzed_a_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer-no-link
FUZZ_COMPILE = $(AM_CFLAGS) -fsanitize=fuzzer-no-link
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
FUZZ_LIBS = tests/fuzz/libfuzzed.a $(LIBYAML_LIBS) $(LIBBSD_LIBS) \
	$(SECCOMP_LIBS) $(SYSTEMD_LIBS) $(CARES_LIBS)

tests_fuzz_fuzz_addr_SOURCES = tests/fuzz/fuzz_addr.c
tests_fuzz_fuzz_addr_CFLAGS = $(FUZZ_COMPILE)
tests_fuzz_fuzz_addr_LDFLAGS = $(FUZZ_LINK) -Wl,--wrap=getaddrinfo
tests_fuzz_fuzz_addr_LDADD = $(FUZZ_LIBS)

tests_fuzz_fuzz_cidr_SOURCES = tests/fuzz/fuzz_cidr.c
tests_fuzz_fuzz_cidr_CFLAGS = $(FUZZ_COMPILE)
tests_fuzz_fuzz_cidr_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_cidr_LDADD = $(FUZZ_LIBS)

tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c
tests_fuzz_fuzz_conf_CFLAGS = $(FUZZ_COMPILE)
tests_fuzz_fuzz_conf_LDFLAGS = $(FUZZ_LINK) -Wl,--wrap=getaddrinfo
tests_fuzz_fuzz_conf_LDADD = $(FUZZ_LIBS)

tests_fuzz_fuzz_dialog_SOURCES = tests/fuzz/fuzz_dialog.c
tests_fuzz_fuzz_dialog_CFLAGS = $(FUZZ_COMPILE)
tests_fuzz_fuzz_dialog_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_dialog_LDADD = $(FUZZ_LIBS)

tests_fuzz_fuzz_log_format_SOURCES = tests/fuzz/fuzz_log_format.c
tests_fuzz_fuzz_log_format_CFLAGS = $(FUZZ_COMPILE)
tests_fuzz_fuzz_log_format_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_log_format_LDADD = $(FUZZ_LIBS)

# The names of the prober, with a name server and a clock of its own.
tests_fuzz_fuzz_names_SOURCES = tests/fuzz/fuzz_names.c \
	lib/proto/dns_message.c lib/proto/dns_message.h src/prober/resolver.c src/prober/resolver.h \
	src/prober/lookup.c src/prober/lookup.h src/prober/resolver_assign.c src/prober/resolver_assign.h \
	src/prober/resolver_log.c src/prober/resolver_log.h
tests_fuzz_fuzz_names_CFLAGS = $(FUZZ_COMPILE) -DHAVE_CARES=1
tests_fuzz_fuzz_names_LDFLAGS = $(FUZZ_LINK) -Wl,--wrap=clock_now_ms
tests_fuzz_fuzz_names_LDADD = $(FUZZ_LIBS)

tests_fuzz_fuzz_options_SOURCES = tests/fuzz/fuzz_options.c
tests_fuzz_fuzz_options_CFLAGS = $(FUZZ_COMPILE)
tests_fuzz_fuzz_options_LDFLAGS = $(FUZZ_LINK) -Wl,--wrap=getaddrinfo
tests_fuzz_fuzz_options_LDADD = $(FUZZ_LIBS)

tests_fuzz_fuzz_proxyproto_SOURCES = tests/fuzz/fuzz_proxyproto.c
tests_fuzz_fuzz_proxyproto_CFLAGS = $(FUZZ_COMPILE)
tests_fuzz_fuzz_proxyproto_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_proxyproto_LDADD = $(FUZZ_LIBS)

# The rig of the unit tests, with a clock and faults of its own.
tests_fuzz_fuzz_session_SOURCES = tests/fuzz/fuzz_session.c \
	tests/unit/helpers.h tests/unit/wrap.h \
	tests/unit/session_rig.c tests/unit/session_rig.h
tests_fuzz_fuzz_session_CFLAGS = $(FUZZ_COMPILE)
tests_fuzz_fuzz_session_LDFLAGS = $(FUZZ_LINK) \
	-Wl,--wrap=socket,--wrap=connect,--wrap=recv,--wrap=send,--wrap=clock_now_ms
tests_fuzz_fuzz_session_LDADD = $(FUZZ_LIBS) $(CMOCKA_LIBS)
endif
