dist_man5_MANS = doc/shuttled.yaml.5
dist_man8_MANS = doc/shuttled.8
EXTRA_DIST += doc/ARCHITECTURE.md doc/FEATURES.md doc/MEASURED.md doc/PERFORMANCE.md \
	doc/TRUST.md doc/failover.svg \
	doc/performance-cpu.svg doc/performance-latency-crr.svg \
	doc/performance-latency-rr.svg doc/performance-rates.svg
