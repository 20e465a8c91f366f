# SPDX-License-Identifier: GPL-2.0
#
# Turn a test's output into result lines: VERDICT<TAB>SUITE<TAB>NAME<TAB>REASON.
# -v suite=NAME. Reads KTAP as kselftest prints it, and the machine's own lines.

BEGIN { OFS = "\t" }

function result(verdict, name, reason)
{
	gsub(/[\t\r]/, " ", reason)
	print verdict, suite, name, reason
	count++
	if (verdict == "fail")
		failed++
}

{ sub(/\r$/, "") }

/^[ \t]*1\.\.[0-9]+/ && !nested { sub(/^1\.\./, ""); plan = $1 + 0; next }

/^(not )?ok( |$)/ {
	verdict = /^ok/ ? "pass" : "fail"
	reason = verdict == "fail" ? said : ""
	line = $0
	sub(/^(not )?ok *[0-9]* *(- )?/, "", line)
	if (match(line, / *# *(SKIP|XFAIL|TODO)/)) {
		directive = substr(line, RSTART, RLENGTH)
		reason = substr(line, RSTART + RLENGTH)
		sub(/^ */, "", reason)
		line = substr(line, 1, RSTART - 1)
		verdict = directive ~ /SKIP/ ? "skip" : verdict
		if (verdict == "skip" && reason == "") {
			verdict = "fail"
			reason = "skipped without a reason"
		}
	} else {
		sub(/ *#.*/, "", line)
	}
	sub(/^global\./, "", line)
	result(verdict, line, reason)
	said = ""
	next
}

# "# file.c:12:name:Expected ..." is why the next "not ok" comes.
/^# .*:[0-9]+:/ { if (said == "") said = substr($0, 3) }

/^@error / { result("fail", "machine", substr($0, 8)) }
/^@leak / { if (!leaks++) leak = substr($0, 7) }
/^@test / { ended = 1; status = $2 }
/^@taint / { taint = $2 + 0; tainted = 1 }
/^@end / { end = 1 }

# Everything but "out of tree" (bit 12) and "unsigned" (bit 13).
function bad_taint(t)
{
	return t - (int(t / 4096) % 4) * 4096
}

END {
	if (ended && plan != "" && plan != count)
		result("fail", "plan", plan " tests announced, " count + 0 " reported")
	if (ended && status == 137)
		result("fail", "exit", "killed: it ran longer than its limit")
	else if (ended && status != 0 && status != 4 && !failed)
		result("fail", "exit", "exit status " status)
	if (ended && !count)
		result("fail", "output", "it reported no test")
	if (leaks)
		result("fail", "kmemleak", leak)
	if (tainted && bad_taint(taint))
		result("fail", "taint", "/proc/sys/kernel/tainted is " taint)
	if (!ended || !end)
		result("fail", "machine", "the machine did not get to its end")
}
