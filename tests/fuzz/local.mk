# Fuzz targets: ../configure CC=clang --enable-fuzzers --enable-sanitizers, then
#	tests/fuzz/fuzz_addr -dict=SRCDIR/tests/fuzz/addr.dict CORPUS
#	tests/fuzz/fuzz_conf -dict=SRCDIR/tests/fuzz/conf.dict CORPUS \
#	    SRCDIR/contrib/examples
#	tests/fuzz/fuzz_dialog CORPUS
#	tests/fuzz/fuzz_proxyproto \
#	    -dict=SRCDIR/tests/fuzz/proxyproto.dict CORPUS
# What is fuzzed is compiled anew, so that libFuzzer sees its branches.
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_addr tests/fuzz/fuzz_conf \
	tests/fuzz/fuzz_dialog tests/fuzz/fuzz_proxyproto
tests_fuzz_fuzz_addr_SOURCES = \
	tests/fuzz/fuzz_addr.c \
	lib/addr.c lib/addr.h \
	$(CONF_SOURCES)
tests_fuzz_fuzz_addr_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_addr_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer \
	-Wl,--wrap=getaddrinfo
tests_fuzz_fuzz_addr_LDADD = libshuttle.a $(LIBCONFIG_LIBS) $(LIBBSD_LIBS)

tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c $(CONF_SOURCES)
tests_fuzz_fuzz_conf_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_conf_LDFLAGS = $(tests_fuzz_fuzz_addr_LDFLAGS)
tests_fuzz_fuzz_conf_LDADD = $(tests_fuzz_fuzz_addr_LDADD)

tests_fuzz_fuzz_dialog_SOURCES = \
	tests/fuzz/fuzz_dialog.c \
	lib/dialog.c lib/dialog.h \
	lib/dialog_tls.c lib/dialog_tls.h
tests_fuzz_fuzz_dialog_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_dialog_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_dialog_LDADD = libshuttle.a $(LIBBSD_LIBS)

tests_fuzz_fuzz_proxyproto_SOURCES = \
	tests/fuzz/fuzz_proxyproto.c \
	lib/proxyproto.c lib/proxyproto.h
tests_fuzz_fuzz_proxyproto_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_proxyproto_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_proxyproto_LDADD = libshuttle.a $(LIBBSD_LIBS)
endif
EXTRA_DIST += tests/fuzz/addr.dict tests/fuzz/conf.dict \
	tests/fuzz/proxyproto.dict
