# For packagers and administrators: nothing here is installed, but for the
# systemd units where configure was asked to (--with-systemdsystemunitdir).
EXTRA_DIST += \
	.ci/run \
	contrib/completions/shuttled.bash \
	contrib/default/shuttled \
	contrib/demo/README.md \
	contrib/examples/bastion.conf \
	contrib/examples/cache.conf \
	contrib/examples/database.conf \
	contrib/examples/demo.conf \
	contrib/examples/mail.conf \
	contrib/examples/web.conf \
	contrib/init.d/shuttled \
	contrib/logrotate/shuttled \
	contrib/openrc/shuttled \
	contrib/openrc/shuttled.confd \
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

# One of several: shuttled@web.service is of /etc/shuttled/web.conf. The same unit
# but for its name, so that there is one to look after.
contrib/shuttled@.service: contrib/systemd/shuttled.service Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib && \
	$(SED) -e 's|/usr/sbin/shuttled|$(sbindir)/shuttled|' \
	    -e 's|shuttled as a systemd service, of /etc/shuttled.conf|One of several instances: NAME of /etc/shuttled/NAME.conf is shuttled@NAME|' \
	    -e 's|^Description=shuttled|& %i|' \
	    -e 's|/etc/default/shuttled|&-%i|' \
	    -e 's|/run/shuttled/shuttled[.]pid|--instance %i -c /etc/shuttled/%i.conf -p /run/shuttled/%i.pid|' \
	    -e 's|-F -p --instance|-F --instance|' \
	    $(srcdir)/contrib/systemd/shuttled.service >$@
