# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The shuttled authors
#
# report.awk: makes the figures of all runs into medians, ratios and tables.
# usage: awk -v out=DIR -f report.awk rows.txt about.txt raw.jsonl
# A ratio is that of the same round, and its median is shown: what the machine
# does to a whole round falls out. The best peer of a row is the one with the
# best median of those that did their work without failing.

function push(k, v) {
	val[k, ++count[k]] = v
}

# The q-th part of the sorted values of k, interpolated; "" if there are none.
function quantile(k, q,    n, i, j, t, s, at, lo) {
	n = count[k]
	if (n == 0)
		return ""
	for (i = 1; i <= n; i++)
		s[i] = val[k, i]
	for (i = 2; i <= n; i++) {
		t = s[i]
		for (j = i - 1; j >= 1 && s[j] > t; j--)
			s[j + 1] = s[j]
		s[j + 1] = t
	}
	at = 1 + (n - 1) * q
	lo = int(at)
	if (lo >= n)
		return s[n]
	return s[lo] + (s[lo + 1] - s[lo]) * (at - lo)
}

# Of line i of rows.txt.
function median(i, p) {
	return quantile(row[i] SUBSEP p SUBSEP metric[i], 0.5)
}

function better(a, b, how) {
	return how == "max" ? a > b : a < b
}

# A figure in as many digits as it deserves.
function show(x,    a, s, head) {
	if (x == "")
		return "-"
	a = x < 0 ? -x : x
	if (a < 100)
		return sprintf("%.2f", x)
	if (a < 1000)
		return sprintf("%.1f", x)
	s = sprintf("%.0f", x)
	for (head = ""; length(s) > 3; s = substr(s, 1, length(s) - 3))
		head = "," substr(s, length(s) - 2) head
	return s head
}

# A run fails the row if more than one in a thousand of its operations did.
function failing(row, proxy) {
	return bad[row, proxy] * 1000 > done[row, proxy]
}

function pad(s, n,    w) {
	# µ is two bytes and one column.
	w = length(s) - gsub(/µ/, "µ", s) * (length("µ") - 1)
	while (w++ < n)
		s = s " "
	return s
}

function lpad(s, n) {
	while (length(s) < n)
		s = " " s
	return s
}

# The best peer of a row, or "".
function best_of(row, metric, how,    i, p, m, b, bm) {
	b = ""
	for (i = 1; i <= np; i++) {
		p = proxy[i]
		if (p == "shuttled" || p == "direct" || failing(row, p))
			continue
		# One process has nothing to spread and nobody to wake.
		if (row ~ /^spread/ && (p == "pen" || p == "rinetd"))
			continue
		m = quantile(row SUBSEP p SUBSEP metric, 0.5)
		if (m != "" && (b == "" || better(m, bm, how))) {
			b = p
			bm = m
		}
	}
	return b
}

# Ratios of two proxies, round by round, under the key k.
function pair(k, row, metric, a, b,    r, va, vb) {
	for (r = 1; r <= rounds; r++) {
		if (!((row, a, metric, r) in at) ||
		    !((row, b, metric, r) in at))
			continue
		va = at[row, a, metric, r]
		vb = at[row, b, metric, r]
		if (vb > 0)
			push(k, va / vb)
	}
}

function passes(i, x) {
	return how[i] == "max" ? x >= goal[i] : x <= goal[i]
}

# A ratio must hold within the rounds and between the medians over all: where
# these disagree, the machine was too unsteady to say anything.
function verdict(i,    x, y) {
	if (goal[i] == "-")
		return ""
	x = kind[i] == "ratio" ? ratio[i] : own[i]
	if (x == "")
		return "?"
	if (failing(row[i], "shuttled"))
		return "FAILED"
	y = kind[i] == "ratio" ? own[i] / bestm[i] : x
	if (passes(i, x) != passes(i, y))
		return "unclear"
	return passes(i, x) ? "yes" : "no"
}

FILENAME ~ /rows\.txt$/ {
	if ($0 ~ /^#/ || split($0, f, "|") != 7)
		next
	i = ++nrows
	row[i] = f[1]
	metric[i] = f[2]
	unit[i] = f[3]
	how[i] = f[4]
	kind[i] = f[5]
	goal[i] = f[6]
	title[i] = f[7]
	next
}

FILENAME ~ /about\.txt$/ {
	k = $0
	sub(/=.*/, "", k)
	about[k] = substr($0, length(k) + 2)
	next
}

{
	line = $0
	gsub(/[{}]/, "", line)
	n = split(line, f, /,"/)
	delete_run()
	for (i = 1; i <= n; i++) {
		k = f[i]
		sub(/^"/, "", k)
		sub(/":.*/, "", k)
		v = f[i]
		sub(/^[^:]*:/, "", v)
		gsub(/"/, "", v)
		run[k] = v
	}
	r = run["row"]
	p = run["proxy"]
	if (!(p in known)) {
		known[p] = 1
		proxy[++np] = p
	}
	if (run["round"] > rounds)
		rounds = run["round"]
	seen[r] = 1
	runs++
	bad[r, p] += run["failed"]
	done[r, p] += "ops" in run ? run["ops"] : run["broken"] == "" ? 1e3 : 0
	if ("spread" in run)
		spread[r, p] = run["spread"]
	if ("with" in run)
		counter = run["with"]
	# Where every process that works is one that was measured.
	if (run["machine_cores"] > 0 && !("with" in run) &&
	    !("bulk_gbit" in run && r ~ /^starve/)) {
		other = run["machine_cores"] - run["proxy_cores"] - \
		    run["backend_cores"] - run["load_cores"]
		if (other > 0.2)
			disturbed++
		if (run["steal"] > 0.05)
			stolen++
	}
	for (k in run)
		if (run[k] ~ /^-?[0-9.]+$/ && !(k ~ /^(row|proxy|round)$/)) {
			push(r SUBSEP p SUBSEP k, run[k] + 0)
			at[r, p, k, run["round"]] = run[k] + 0
		}
}

function delete_run(    k) {
	for (k in run)
		delete run[k]
}

# The names of proxies in the order that people expect.
function order(    i, j, n, want, list, sorted) {
	n = split("shuttled haproxy haproxy-splice haproxy-auto nginx " \
	    "nginx-64k pen rinetd direct", list, " ")
	j = 0
	for (i = 1; i <= n; i++)
		if (list[i] in known)
			sorted[++j] = list[i]
	np = j
	for (i = 1; i <= np; i++)
		proxy[i] = sorted[i]
}

function figures(    i, k) {
	for (i = 1; i <= nrows; i++) {
		if (!(row[i] in seen))
			continue
		best[i] = best_of(row[i], metric[i], how[i])
		own[i] = median(i, "shuttled")
		if (best[i] == "")
			continue
		bestm[i] = median(i, best[i])
		k = "ratio" SUBSEP i
		pair(k, row[i], metric[i], "shuttled", best[i])
		ratio[i] = quantile(k, 0.5)
		low[i] = quantile(k, 0.25)
		high[i] = quantile(k, 0.75)
	}
}

function goal_text(i) {
	if (goal[i] == "-")
		return ""
	return (how[i] == "max" ? ">= " : "<= ") goal[i] \
	    (kind[i] == "ratio" ? " x" : "")
}

function ratio_text(i) {
	if (ratio[i] == "")
		return "-"
	return sprintf("%.2f", ratio[i])
}

function range_text(i) {
	if (ratio[i] == "" || rounds < 3)
		return ""
	return sprintf("%.2f-%.2f", low[i], high[i])
}

# What most people want to know: each row, the best peer, the ratio, the goal.
function short_table(file,    i) {
	print pad("row", 18) pad("", 11) lpad("shuttled", 10) "  " \
	    pad("best peer", 25) lpad("ratio", 6) "  " pad("quartiles", 11) " " \
	    pad("goal", 10) "reached" >file
	for (i = 1; i <= nrows; i++) {
		if (!(row[i] in seen) || own[i] == "")
			continue
		print pad(row[i], 18) pad(unit[i], 11) lpad(show(own[i]), 10) \
		    "  " pad(lpad(show(bestm[i]), 9) " " best[i], 25) \
		    lpad(ratio_text(i), 6) "  " pad(range_text(i), 11) \
		    " " pad(goal_text(i), 10) verdict(i) >file
	}
	close(file)
}

function cell(i, p,    m) {
	m = median(i, p)
	return show(m) (m != "" && failing(row[i], p) ? "!" : "")
}

function long_table(file,    i, j, s) {
	s = pad("row", 18) pad("", 11)
	for (j = 1; j <= np; j++)
		s = s lpad(proxy[j], 15)
	print s >file
	for (i = 1; i <= nrows; i++) {
		if (!(row[i] in seen))
			continue
		s = pad(row[i], 18) pad(unit[i], 11)
		for (j = 1; j <= np; j++)
			s = s lpad(cell(i, proxy[j]), 15)
		print s >file
	}
	print "\n(!: failed in more than one of 1,000 operations; such a peer" \
	    " is never the best)" >file
	print_failures(file)
	close(file)
}

function print_failures(file,    r, j, i, said) {
	for (i = 1; i <= nrows; i++) {
		if (row[i] in said || !(row[i] in seen))
			continue
		said[row[i]] = 1
		for (j = 1; j <= np; j++)
			if (bad[row[i], proxy[j]] > 0)
				printf "failures: %s, %s: %d of %d\n", row[i],
				    proxy[j], bad[row[i], proxy[j]],
				    done[row[i], proxy[j]] + \
				    bad[row[i], proxy[j]] >file
	}
	if (disturbed > 0)
		printf "In %d of %d runs the machine was busy with something" \
		    " else too (more than 0.2 of a core).\n", disturbed,
		    runs >file
	if (stolen > 0)
		printf "In %d of %d runs the host took more than 5 %% of a" \
		    " core away.\n", stolen, runs >file
}

function json_string(s) {
	gsub(/\\/, "\\\\", s)
	gsub(/"/, "\\\"", s)
	return "\"" s "\""
}

function json_number(x) {
	return x == "" ? "null" : sprintf("%.6g", x)
}

function json_row(i,    j, p, s, k) {
	s = ""
	for (j = 1; j <= np; j++) {
		p = proxy[j]
		k = row[i] SUBSEP p SUBSEP metric[i]
		if (count[k] == 0)
			continue
		s = s (s == "" ? "" : ",") json_string(p) ":{\"median\":" \
		    json_number(quantile(k, 0.5)) ",\"q1\":" \
		    json_number(quantile(k, 0.25)) ",\"q3\":" \
		    json_number(quantile(k, 0.75)) ",\"runs\":" count[k] \
		    ",\"failed\":" bad[row[i], p] + 0 "}"
	}
	return "{\"row\":" json_string(row[i]) ",\"metric\":" \
	    json_string(metric[i]) ",\"unit\":" json_string(unit[i]) \
	    ",\"better\":" json_string(how[i]) ",\"proxies\":{" s "}" \
	    ",\"best\":" json_string(best[i]) ",\"ratio\":" \
	    json_number(ratio[i]) ",\"ratio_q1\":" json_number(low[i]) \
	    ",\"ratio_q3\":" json_number(high[i]) ",\"goal\":" \
	    (goal[i] == "-" ? "null" : goal[i] + 0) ",\"goal_is\":" \
	    json_string(kind[i]) ",\"reached\":" \
	    json_string(verdict(i)) "}"
}

function json(file,    k, i, first) {
	printf "{\"about\":{" >file
	first = 1
	for (k in about) {
		printf "%s%s:%s", first ? "" : ",", json_string(k),
		    json_string(about[k]) >file
		first = 0
	}
	printf "},\n\"runs\":%d,\"disturbed\":%d,\"rows\":[", runs,
	    disturbed >file
	first = 1
	for (i = 1; i <= nrows; i++) {
		if (!(row[i] in seen))
			continue
		printf "%s\n%s", first ? "" : ",", json_row(i) >file
		first = 0
	}
	print "\n]}" >file
	close(file)
}

# Data of a chart: every proxy as part of the best peer of the row.
function chart_ratios(file, metrics,    i, j, s, n, b) {
	s = "row"
	for (j = 1; j <= np; j++)
		if (proxy[j] != "direct")
			s = s "\t" proxy[j]
	print s >file
	for (i = 1; i <= nrows; i++) {
		if (index(metrics, " " row[i] "/" metric[i] " ") == 0 ||
		    best[i] == "")
			continue
		s = row[i]
		for (j = 1; j <= np; j++) {
			if (proxy[j] == "direct")
				continue
			b = median(i, proxy[j])
			s = s "\t" (b == "" ? "nan" : sprintf("%.4f",
			    b / bestm[i]))
		}
		print s >file
		n++
	}
	close(file)
	if (n > 0)
		print file >(out "/charts")
}

function chart_latency(file, r,    j, p, k) {
	if (!(r in seen))
		return
	print "proxy\tp50\tp99\tp99.9" >file
	for (j = 1; j <= np; j++) {
		p = r SUBSEP proxy[j] SUBSEP
		if (count[p "p50"] == 0)
			continue
		printf "%s\t%s\t%s\t%s\n", proxy[j], quantile(p "p50", 0.5),
		    quantile(p "p99", 0.5), quantile(p "p99_9", 0.5) >file
	}
	close(file)
	print file >(out "/charts")
}

function about_lines(file,    j, p) {
	print "| | |\n|---|---|" >file
	print "| measured | " about["date"] ", " about["rounds"] \
	    (about["rounds"] == 1 ? " round" : " rounds") ", " \
	    about["seconds"] " s a run, " about["workers"] \
	    " workers or threads each (pen and rinetd have one process) |" >file
	print "| machine | " about["cpus"] " × " about["cpu"] ", " \
	    about["memory"] ", " about["kernel"] " |" >file
	printf "| versions |" >file
	for (j = 1; j <= np; j++) {
		p = proxy[j]
		if (p == "direct" || p ~ /-/)
			continue
		printf "%s %s %s", (j == 1 ? "" : ","), p,
		    about["version_" p] >file
	}
	print " |" >file
	print "| idle | " about["idle"] " silent connections, " \
	    about["descriptors"] " descriptors a process |" >file
	if (about["shuttled_options"] != "")
		print "| options | `" about["shuttled_options"] "` |" >file
	if (counter != "")
		print "| system calls | counted by " counter " |" >file
}

function markdown(file,    i, j, s) {
	about_lines(file)
	print "\n## Against the best peer\n" >file
	print "| row | | | shuttled | best peer | | ratio | quartiles |" \
	    " goal | reached |" >file
	print "|---|---|---|--:|--:|---|--:|---|---|---|" >file
	for (i = 1; i <= nrows; i++)
		if (row[i] in seen && goal[i] != "-")
			print "| " row[i] " | " title[i] " | " unit[i] " | " \
			    show(own[i]) " | " show(bestm[i]) " | " \
			    best[i] " | " ratio_text(i) " | " \
			    range_text(i) " | " goal_text(i) " | " verdict(i) " |" >file
	print "\n## All figures (medians)\n" >file
	s = "| row | | |"
	for (j = 1; j <= np; j++)
		s = s " " proxy[j] " |"
	print s >file
	gsub(/[^|]+/, "---", s)
	print s >file
	for (i = 1; i <= nrows; i++) {
		if (!(row[i] in seen))
			continue
		s = "| " row[i] " | " title[i] " | " unit[i] " |"
		for (j = 1; j <= np; j++)
			s = s " " cell(i, proxy[j]) " |"
		print s >file
	}
	print "" >file
	print_failures(file)
	close(file)
}

END {
	order()
	figures()
	short_table(out "/table.txt")
	long_table(out "/all.txt")
	json(out "/summary.json")
	markdown(out "/figures.md")
	printf "" >(out "/charts")
	chart_ratios(out "/performance-rates.dat", " crr/rate crr-log/rate " \
	    "rr-100/rate rr-1000/rate rr-16k/rate idle/rate bulk-1/gbit " \
	    "bulk-8/gbit ")
	chart_ratios(out "/performance-cpu.dat", " crr/cpu_op crr-log/cpu_op " \
	    "rr-1/cpu_op rr-100/cpu_op rr-1000/cpu_op rr-16k/cpu_op " \
	    "idle/cpu_op bulk-1/cpu_mb bulk-8/cpu_mb ")
	chart_latency(out "/performance-latency-crr.dat", "crr-open")
	chart_latency(out "/performance-latency-rr.dat", "rr-open")
	close(out "/charts")
}
