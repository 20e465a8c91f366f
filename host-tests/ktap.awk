# SPDX-License-Identifier: GPL-2.0
#
# Turn the output of a test program, TAP as kselftest and cmocka print it, into
# result lines: VERDICT<TAB>SUITE<TAB>NAME<TAB>REASON.
#   -v suite=NAME -v status=EXIT_STATUS -v log_file=WHERE_TO_LOOK

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

/^1\.\.[0-9]+/ {
	sub(/^1\.\./, "")
	plan += $1
	planned = 1
	next
}

/^(not )?ok( |$)/ {
	verdict = /^ok/ ? "pass" : "fail"
	reason = verdict == "pass" ? "" : said == "" ? "see " log_file : said
	said = ""
	name = $0
	sub(/^(not )?ok *[0-9]* *(- )?/, "", name)
	if (match(name, / *# *SKIP */)) {
		reason = substr(name, RSTART + RLENGTH)
		name = substr(name, 1, RSTART - 1)
		verdict = reason == "" ? "fail" : "skip"
		if (reason == "")
			reason = "skipped without a reason"
	}
	sub(/ *#.*/, "", name)
	sub(/^global\./, "", name)
	result(verdict, name, reason)
	next
}

# "# file.c:12:name:Expected ..." is why the next "not ok" comes.
/^# .*:[0-9]+:/ { if (said == "") said = substr($0, 3) }

END {
	reported = count + 0
	if (status == 137)
		result("fail", "exit", "killed: it ran longer than its limit")
	else if (status != 0 && status != 4 && !failed)
		result("fail", "exit", "exit status " status ", see " log_file)
	if (planned && plan != reported)
		result("fail", "plan", plan " tests announced, " reported " reported")
	if (!reported)
		result("fail", "output", "it reported no test")
}
