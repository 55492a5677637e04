# shuttled: the daemon.
sbin_PROGRAMS += shuttled
shuttled_SOURCES = \
	src/acceptor.c src/acceptor.h \
	src/children.c src/children.h \
	src/complaints.c src/complaints.h \
	src/conf.c src/conf.h \
	src/daemon.c src/daemon.h \
	src/inherit.c src/inherit.h \
	src/instance.c src/instance.h \
	src/listener.c src/listener.h \
	src/main.c \
	src/master.c src/master.h \
	src/options.c src/options.h \
	src/priv.c src/priv.h \
	src/reload.c src/reload.h \
	src/upgrade.c src/upgrade.h \
	src/worker.c src/worker.h
shuttled_LDADD = libshuttle.a $(LIBBSD_LIBS)
