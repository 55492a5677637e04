dist_man8_MANS = doc/shuttled.8
EXTRA_DIST += doc/ARCHITECTURE.md
