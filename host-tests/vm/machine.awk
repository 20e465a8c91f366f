# SPDX-License-Identifier: GPL-2.0
#
# What the machine itself says on the channel, beside the test it ran, as result
# lines. -v suite=NAME -v log_file=WHERE_TO_LOOK. See init for the @ lines.

BEGIN { OFS = "\t" }

function result(verdict, reason)
{
	gsub(/[\t\r]/, " ", reason)
	print verdict, suite, "machine", reason
	failed += verdict == "fail"
}

# Everything but "out of tree" (bit 12) and "unsigned" (bit 13).
function bad_taint(taint)
{
	return taint - (int(taint / 4096) % 4) * 4096
}

{ sub(/\r$/, "") }
/^@error / { result("fail", substr($0, 8)) }
/^@leak / { if (!leaks++) leak = substr($0, 7) }
/^@taint [0-9]+$/ { tainted = 1; taint = $2 }
/^@end [0-9]+$/ { end = 1 }

END {
	if (leaks)
		result("fail", "memory leaked, see " log_file ": " leak)
	if (tainted && bad_taint(taint))
		result("fail", "/proc/sys/kernel/tainted is " taint)
	if (!end || !tainted)
		result("fail", "it did not get to its end, see " log_file)
	if (!failed)
		result("pass", "")
}
