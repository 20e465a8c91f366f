# SPDX-License-Identifier: GPL-2.0
# gnuplot -e "points='FILE'; out='DIR'" plots.gp: one SVG for each thing that the
# costs are plotted against.
set terminal svg size 800,500 background rgb "white"
set key left top
set grid
of(f) = sprintf("<awk '$1 == \"%s\"' %s | sort -n -k2,2", f, points)

set logscale x 2
set output out . "/run-length.svg"
set title "Cost of a page by length of the run"
set xlabel "pages that one hypercall moves"
set ylabel "microseconds a page"
set yrange [0:*]
plot of("out_run.copy") using 2:($3/1000):($4/1000):($5/1000) with yerrorlines title "page-out", \
     of("in_run.copy") using 2:($3/1000):($4/1000):($5/1000) with yerrorlines title "page-in"

set output out . "/memory-size.svg"
set title "Cost of a page by size of the guest's memory"
set xlabel "MiB of guest memory"
plot of("size_out.copy") using 2:($3/1000):($4/1000):($5/1000) with yerrorlines title "page-out", \
     of("size_in.copy") using 2:($3/1000):($4/1000):($5/1000) with yerrorlines title "page-in", \
     of("size_host.copy") using 2:($3/1000):($4/1000):($5/1000) with yerrorlines title "host reads"

unset logscale x
set output out . "/threads.svg"
set title "Throughput by threads"
set xlabel "threads"
set ylabel "pages a millisecond"
set xrange [0.8:2.2]
set xtics 1
plot of("host_threads.copy") using 2:(1e6/$3) with linespoints title "host reads", \
     of("out_threads.copy") using 2:(1e6/$3) with linespoints title "page-out", \
     of("in_threads.copy") using 2:(1e6/$3) with linespoints title "page-in", \
     of("out_threads.aes") using 2:(1e6/$3) with linespoints title "page-out, AES"

set output out . "/latency.svg"
set title "Latency of a touch: the share of touches that are faster"
set xlabel "microseconds"
set ylabel "share of touches"
set xrange [*:*]
set xtics autofreq
set logscale x 10
set yrange [0:1]
set key right bottom
plot of("host_seq_lat.copy") using ($3/1000):($2/1000) with linespoints title "host, in order", \
     of("host_rand_lat.copy") using ($3/1000):($2/1000) with linespoints title "host, at random", \
     of("hmm_seq_lat") using ($3/1000):($2/1000) with linespoints title "test\\_hmm, in order", \
     of("hmm_rand_lat") using ($3/1000):($2/1000) with linespoints title "test\\_hmm, at random"
