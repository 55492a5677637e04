# For packagers and administrators: nothing here is installed, but for the
# systemd units where configure was asked to (--with-systemdsystemunitdir).
EXTRA_DIST += \
	.ci/run \
	contrib/completions/shuttled.bash \
	contrib/default/shuttled \
	contrib/demo/README.md \
	contrib/examples/bastion.yaml \
	contrib/examples/cache.yaml \
	contrib/examples/database.yaml \
	contrib/examples/demo.yaml \
	contrib/examples/mail.yaml \
	contrib/examples/web.yaml \
	contrib/init.d/shuttled \
	contrib/logrotate/shuttled \
	contrib/openrc/shuttled \
	contrib/openrc/shuttled.confd \
	contrib/schema/shuttled.schema.json \
	contrib/systemd/shuttled.service \
	contrib/sysusers.d/shuttled.conf \
	contrib/tmpfiles.d/shuttled.conf

if SYSTEMD_UNIT
dist_systemdsystemunit_DATA = contrib/systemd/shuttled.socket
nodist_systemdsystemunit_DATA = contrib/shuttled.service \
	contrib/shuttled@.service
endif
CLEANFILES += contrib/shuttled.service contrib/shuttled@.service
noinst_DATA = contrib/shuttled@.service

# The unit names the binary where it is installed.
contrib/shuttled.service: contrib/systemd/shuttled.service Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib && \
	$(SED) 's|/usr/sbin/shuttled|$(sbindir)/shuttled|' \
	    $(srcdir)/contrib/systemd/shuttled.service >$@

# One of several: shuttled@web.service is of /etc/shuttled/web.yaml. The same unit
# but for its name, so that there is one to look after.
contrib/shuttled@.service: contrib/systemd/shuttled.service Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib && \
	$(SED) -e 's|/usr/sbin/shuttled|$(sbindir)/shuttled|' \
	    -e 's|shuttled as a systemd service, of /etc/shuttled.yaml|One of several instances: NAME of /etc/shuttled/NAME.yaml is shuttled@NAME|' \
	    -e 's|^Description=shuttled|& %i|' \
	    -e 's|/etc/default/shuttled|&-%i|' \
	    -e 's|/run/shuttled/shuttled[.]pid|--instance %i -c /etc/shuttled/%i.yaml -p /run/shuttled/%i.pid|' \
	    -e 's|-F -p --instance|-F --instance|' \
	    $(srcdir)/contrib/systemd/shuttled.service >$@

# Prints contrib/schema/shuttled.schema.json, which tests/schema.sh compares.
check_PROGRAMS += contrib/schema/make_schema
contrib_schema_make_schema_SOURCES = contrib/schema/make_schema.c
contrib_schema_make_schema_LDADD = $(BALANCER_LIBS)
