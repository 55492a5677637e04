# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
# shellcheck shell=sh disable=SC2154 # sourced by bench, which sets the rest
#
# report.sh: from the raw lines in $out to tables and charts there.

# What stands above the figures of every PERFORMANCE.md.
method() {
	cat <<'END'
# Performance

Made by `make bench`; `make bench-quick` is the short form. Absolute figures
belong to one machine on one day: the ratios are what counts.

- One machine, loopback: proxy, load generator and server share its
  processors. The load generator and the server (tests/bench/load) are one
  thread each; every run compares payloads byte by byte with a pattern.
- Every run has a fresh proxy. Proxies follow each other within a row, rows
  within a round; a ratio is taken within a round, and the median over the
  rounds is shown with its quartiles. A goal counts as reached when this and
  the ratio of the medians both do; where they disagree it is unclear.
- The best peer is that with the best median of the row; one that failed in
  more than one of 1,000 operations is marked `!` and is never the best.
- Without a fixed rate the next operation begins when the last has ended. At a
  fixed rate latency counts from the moment at which the operation should
  have begun; that rate is 60 % of what the slowest proxy did without one.
- CPU is user and system time of all processes of the proxy; that of the
  machine is everything that was not idle, load and server included.
- User memory is anonymous and shared memory of all processes of the proxy,
  after one exchange on every session, less what they had before.
- All: TCP mode, no session log (but in the row crr-log), nodelay as is,
  default buffers, a backlog of 4096, eight servers in turn. rinetd does not
  balance and has a port for each server. nginx writes its session log
  through a buffer of 64 KiB; pen's log has no sizes and times.
- haproxy-splice has splice-auto, splice-request and splice-response. With
  splice-auto alone haproxy 2.6 begins to splice only when a time limit of
  the session wakes it up, which in a run of some seconds does not happen.
- Context switches are counted while silent connections are opened 3 ms apart,
  so that a worker wakes up for nothing but accepting.

END
}

# chart FILE TITLE Y-AXIS MORE: bars of each column of a table.
chart() {
	gnuplot <<END
set terminal svg size 1000,420 font 'sans-serif,13' background 'white'
set output '${1%.dat}.svg'
set title '$2'
set ylabel '$3'
set style data histogram
set style histogram cluster gap 1.5
set style fill solid 0.9 noborder
set boxwidth 0.9
set border 3 lc rgb '#555555'
set grid ytics lc rgb '#dddddd'
set key outside right top reverse Left
set xtics nomirror scale 0
set ytics nomirror
set datafile separator '\t'
set datafile missing 'nan'
$4
columns = system("head -n 1 '$1' | awk -F'\t' '{ print NF }'")
plot for [i=2:columns+0] '$1' using i:xtic(1) title columnheader(i)
END
}

ratio_chart() {
	chart "$1" "$2" 'times the best peer' "$3
set arrow from graph 0, first 1 to graph 1, first 1 nohead lc rgb '#555555'
set linetype 1 lc rgb '#c1440e'
set linetype 2 lc rgb '#1f5f8b'
set linetype 3 lc rgb '#6fa8cc'
set linetype 4 lc rgb '#2e8b57'
set linetype 5 lc rgb '#8e7cc3'
set linetype 6 lc rgb '#8a8a8a'
set linetype 7 lc rgb '#d9a441'"
}

latency_chart() {
	chart "$1" "$2 at a fixed rate: latency from the intended start" \
	    'µs, logarithmic' "set logscale y
set yrange [10<*:*]
set linetype 1 lc rgb '#9ecae1'
set linetype 2 lc rgb '#4292c6'
set linetype 3 lc rgb '#084594'"
}

make_charts() {
	while read -r file; do
		case $file in
		*-rates.dat)
			ratio_chart "$file" \
			    'Rate or throughput: more is better' \
			    'set yrange [0:1.2<*]'
			;;
		*-cpu.dat)
			ratio_chart "$file" \
			    'CPU of the proxy: less is better (cut off at 4)' \
			    'set yrange [0:1.2<*<4]'
			;;
		*-latency-crr.dat)
			latency_chart "$file" 'Short connections'
			;;
		*-latency-rr.dat)
			latency_chart "$file" 'Ping-pong, 100 connections,'
			;;
		esac
		name=${file##*/}
		printf '\n![%s](%s)\n' "${name%.dat}" "${name%.dat}.svg" \
		    >>"$out/PERFORMANCE.md"
		rm -f "$file"
	done <"$out/charts"
}

make_report() {
	[ -s "$out/raw.jsonl" ] || die 65 "$out/raw.jsonl: nothing in it"
	rm -f "$out/charts"
	awk -v out="$out" -f "$here/report.awk" "$here/rows.txt" \
	    "$out/about.txt" "$out/raw.jsonl"
	{
		method
		cat "$out/figures.md"
	} >"$out/PERFORMANCE.md"
	if command -v gnuplot >/dev/null; then
		make_charts
	else
		say "no gnuplot: no charts"
	fi
	{
		echo
		cat "$out/all.txt"
	} >>"$out/table.txt"
	sed '/^$/q' "$out/table.txt"
	sed -n '/^failures:/p; /^In .* runs/p' "$out/all.txt"
	rm -f "$out/charts" "$out"/*.dat "$out/all.txt" "$out/figures.md"
	say "results in $out"
}
