# SPDX-License-Identifier: GPL-2.0
#
# Turn the output of a test program, TAP as kselftest and cmocka print it or
# KTAP with subtests, into result lines: VERDICT<TAB>SUITE<TAB>NAME<TAB>REASON.
#   -v suite=NAME -v status=EXIT_STATUS -v log_file=WHERE_TO_LOOK
#
# Of subtests, which are indented by two spaces a level, the results of the first
# level are lines of their own, "PARENT/NAME"; deeper ones only give their parent
# its reason.

BEGIN { OFS = "\t" }

function result(verdict, name, reason)
{
	gsub(/[\t\r]/, " ", reason)
	print verdict, suite, name, reason
	count++
	if (verdict == "fail")
		failed++
}

# The results below the line at @level have been seen; are they all there?
function check_plan(level)
{
	if (planned[level] && plan[level] != seen[level])
		result("fail", "plan", plan[level] " tests announced, " seen[level] + 0 " reported")
	planned[level] = plan[level] = seen[level] = 0
}

# A line of the first level comes before its parent's, whose name is then known.
function hold(verdict, name, reason)
{
	held++
	held_verdict[held] = verdict
	held_name[held] = name
	held_reason[held] = reason
}

function release(parent,	i, bad)
{
	for (i = 1; i <= held; i++) {
		result(held_verdict[i], parent "/" held_name[i], held_reason[i])
		bad += held_verdict[i] == "fail"
	}
	held = 0
	return bad
}

{
	sub(/\r$/, "")
	match($0, /^ */)
	level = RLENGTH / 2
	sub(/^ */, "")
}

/^1\.\.[0-9]+/ {
	sub(/^1\.\./, "")
	plan[level] += $1
	planned[level] = 1
	next
}

/^(not )?ok( |$)/ {
	verdict = /^ok/ ? "pass" : "fail"
	reason = verdict == "pass" ? "" : said == "" ? "see " log_file : said
	name = $0
	sub(/^(not )?ok *[0-9]* *(- )?/, "", name)
	# An expected failure is one that its author knows of and that is not ours.
	if (match(name, / *# *(SKIP|XFAIL) */)) {
		reason = substr(name, RSTART + RLENGTH)
		name = substr(name, 1, RSTART - 1)
		verdict = reason == "" ? "fail" : "skip"
		if (reason == "")
			reason = "skipped without a reason"
	}
	sub(/ *#.*/, "", name)
	sub(/^global\./, "", name)
	check_plan(level + 1)
	seen[level]++
	if (level > 1)
		next
	said = ""
	if (level == 1)
		hold(verdict, name, reason)
	else if (!held)
		result(verdict, name, reason)
	else if (!release(name) && verdict == "fail")
		result(verdict, name, reason)
	next
}

/^Bail out!/ { bail = $0 }

# "# file.c:12:name:Expected ..." is why the next "not ok" comes.
/^# .*:[0-9]+:/ { if (said == "") said = substr($0, 3) }

END {
	release("unfinished")
	reported = count + 0
	check_plan(0)
	if (bail != "")
		result("fail", "exit", bail)
	if (status == 137)
		result("fail", "exit", "killed: it ran longer than its limit")
	else if (status != 0 && status != 4 && !failed)
		result("fail", "exit", "exit status " status ", see " log_file)
	if (!reported)
		result("fail", "output", "it reported no test")
}
