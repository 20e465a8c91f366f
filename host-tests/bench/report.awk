# SPDX-License-Identifier: GPL-2.0
#
# report.awk FIGURES SAMPLES...: what the "@sample FIGURE X VALUE" lines come to.
#   -v json=FILE	all of it, for machines
#   -v points=FILE	"FIGURE X MEDIAN LOW HIGH" lines, for the plots
# The table goes to stdout. Exit status 1 if a figure is missing.

BEGIN { missing = 0 }

function key(figure, x) { return figure "@" x }

# The figure that NAME[@X] means: X is the only one if it is not said.
function resolve(name,	part, xs, n, i, most)
{
	n = split(name, part, "@")
	if (n == 2 && part[2] != "MAX")
		return (name in count) ? name : ""
	n = split(all_x[part[1]], xs, " ")
	most = ""
	for (i = 1; i <= n; i++)
		if (most == "" || xs[i] + 0 > most + 0)
			most = xs[i]
	return most == "" ? "" : key(part[1], most)
}

# Sort v[1..n].
function order(v, n,	i, j, t)
{
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && v[j] < v[j - 1]; j--) {
			t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
		}
}

# Sets med, low and high.
function summarize(v, n)
{
	order(v, n)
	low = v[1]
	high = v[n]
	med = n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

function summarize_figure(k,	v, i)
{
	for (i = 1; i <= count[k]; i++)
		v[i] = value[k, i]
	summarize(v, count[k])
}

function quote(text) { gsub(/["\\]/, "\\\\&", text); return "\"" text "\"" }

function rest(from,	i, text)
{
	for (i = from; i <= NF; i++)
		text = text (i == from ? "" : " ") $i
	return text
}

FNR == NR && /^figure / { figures[++nf] = $2; unit[$2] = $3; text[$2] = rest(4) }
FNR == NR && $2 == "host_seq_calls.copy" { unit[$2] = $3 " " $4; text[$2] = rest(5) }
FNR == NR && /^row / { rows[++nr] = $2; num[$2] = $3; den[$2] = $4; goal[$2] = $5; text[$2] = rest(6) }
FNR == NR { next }

{ sub(/\r$/, "") }
/^@sample / {
	k = key($2, $3)
	if (!(k in count)) {
		seen[++ns] = k
		all_x[$2] = all_x[$2] " " $3
	}
	value[k, ++count[k]] = $4
}

function verdict(g, v)
{
	if (g == "-")
		return ""
	if (substr(g, 1, 1) == "<")
		return v < substr(g, 2) + 0 ? "reached" : "missed"
	return v >= substr(g, 2) + 0 ? "reached" : "missed"
}

function ratio(r,	a, b, i, n, v)
{
	a = resolve(num[r])
	b = resolve(den[r])
	n = a == "" || b == "" ? 0 : count[a] < count[b] ? count[a] : count[b]
	for (i = 1; i <= n; i++)
		v[i] = value[a, i] / value[b, i]
	if (n)
		summarize(v, n)
	return n
}

END {
	printf "{\n  \"figures\": [" >json
	for (i = 1; i <= ns; i++) {
		k = seen[i]
		summarize_figure(k)
		split(k, part, "@")
		printf "%s\n    { \"figure\": %s, \"x\": %s, \"median\": %.1f, \"low\": %.1f, \"high\": %.1f, \"samples\": %d }", \
			(i > 1 ? "," : ""), quote(part[1]), part[2], med, low, high, count[k] >json
		print part[1], part[2], med, low, high >points
	}
	printf "\n  ],\n  \"ratios\": [" >json
	printf "%-62s %8s %16s %8s\n", "ratio (median of the rounds)", "value", "low..high", "goal"
	for (i = 1; i <= nr; i++) {
		r = rows[i]
		if (!ratio(r)) {
			printf "%-62s %8s\n", text[r], "missing"
			missing++
			continue
		}
		printf "%-62s %8.2f %7.2f..%7.2f %8s %s\n", text[r], med, low, high, goal[r], \
			verdict(goal[r], med)
		printf "%s\n    { \"ratio\": %s, \"text\": %s, \"median\": %.3f, \"low\": %.3f, \"high\": %.3f, \"goal\": %s }", \
			sep, quote(r), quote(text[r]), med, low, high, quote(goal[r]) >json
		sep = ","
	}
	printf "\n  ]\n}\n" >json
	printf "\n%-62s %10s %22s %s\n", "figure", "median", "low..high", "unit"
	for (i = 1; i <= nf; i++) {
		k = resolve(figures[i])
		if (k == "") {
			printf "%-62s %10s\n", figures[i] ": " text[figures[i]], "missing"
			missing++
			continue
		}
		summarize_figure(k)
		printf "%-62s %10.1f %10.1f..%10.1f %s\n", figures[i] ": " text[figures[i]], med, low, \
			high, unit[figures[i]]
	}
	if (missing)
		printf "%d missing\n", missing
	exit missing > 0
}
