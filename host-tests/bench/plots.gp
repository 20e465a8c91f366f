# SPDX-License-Identifier: GPL-2.0
# gnuplot -e "points='FILE'; out='DIR'" plots.gp: one SVG for each thing that the
# costs are plotted against.
set terminal svg size 800,500 background rgb "white"
set key left top
set grid
of(f) = sprintf("<awk '$1 == \"%s\"' %s | sort -n -k2,2", f, points)
# "FIGURE:title_of_it" words whose figure was measured; the parts of such a word.
there(list) = system("for w in " . list . "; do grep -q \"^${w%%:*} \" '" . points . "' && echo $w; done; true")
figure(w) = w[1:strstrt(w, ":") - 1]
text(w) = system("echo '" . w . "' | sed 's/.*://; s/~/ /g'")

set logscale x 2
set output out . "/run-length.svg"
set title "Cost of a page by length of the run"
set xlabel "pages that one hypercall moves"
set ylabel "microseconds a page"
set yrange [0:*]
plot for [w in there("out_run.copy:page-out in_run.copy:page-in")] of(figure(w)) \
	using 2:($3/1000):($4/1000):($5/1000) with yerrorlines title text(w)

set output out . "/memory-size.svg"
set title "Cost of a page by size of the guest's memory"
set xlabel "MiB of guest memory"
plot for [w in there("size_out.copy:page-out size_in.copy:page-in size_host.copy:host~reads \
	upstream_size_out.copy:upstream,~page-out upstream_size_in.copy:upstream,~page-in \
	upstream_size_host.copy:upstream,~host~reads")] of(figure(w)) \
	using 2:($3/1000):($4/1000):($5/1000) with yerrorlines title text(w)

unset logscale x
set output out . "/threads.svg"
set title "Throughput by threads"
set xlabel "threads"
set ylabel "pages a millisecond"
set xrange [0.8:2.2]
set xtics 1
plot for [w in there("host_threads.copy:host~reads out_threads.copy:page-out \
	in_threads.copy:page-in out_threads.aes:page-out,~AES \
	upstream_host_threads.copy:upstream,~host~reads \
	upstream_out_threads.copy:upstream,~page-out upstream_in_threads.copy:upstream,~page-in \
	upstream_out_threads.aes:upstream,~page-out,~AES")] of(figure(w)) \
	using 2:(1e6/$3) with linespoints title text(w)

set output out . "/latency.svg"
set title "Latency of a touch: the share of touches that are faster"
set xlabel "microseconds"
set ylabel "share of touches"
set xrange [*:*]
set xtics autofreq
set logscale x 10
set yrange [0:1]
set key right bottom
plot for [w in there("host_seq_lat.copy:host,~in~order host_rand_lat.copy:host,~at~random \
	upstream_host_seq_lat.copy:upstream,~in~order \
	upstream_host_rand_lat.copy:upstream,~at~random \
	hmm_seq_lat:test_hmm,~in~order hmm_rand_lat:test_hmm,~at~random")] of(figure(w)) \
	using ($3/1000):($2/1000) with linespoints title text(w) noenhanced
