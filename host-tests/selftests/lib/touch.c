// SPDX-License-Identifier: GPL-2.0
/* A touch that is to fail: memory that the process has, and may not use. */
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

#include "vmfix.h"

static sigjmp_buf out;
static volatile int caught;

static void on_signal(int sig)
{
	caught = sig;
	siglongjmp(out, 1);
}

int signal_of_touch(volatile uint8_t *p, bool write, uint8_t *seen)
{
	const int signals[] = { SIGBUS, SIGSEGV, SIGALRM };
	struct sigaction action = { .sa_handler = on_signal };

	for (unsigned int i = 0; i < 3; i++)
		sigaction(signals[i], &action, NULL);
	caught = 0;
	alarm(2);
	if (!sigsetjmp(out, 1)) {
		if (write)
			*p = 0xee;
		else
			*seen = *p;
	}
	alarm(0);
	return caught;
}
