/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests stand on: VMs that uvlaunch runs, SVMs that the test itself
 * owns, both views of their memory, and the check that nothing is left behind.
 *
 * Functions return 0, or -1 after a line that says what went wrong; the test
 * asserts on that. Calls that have a PAPR return code return it, or NO_ANSWER
 * when the call could not be made at all. Nothing here is thread-safe unless
 * its comment says so; a thread takes a connection of its own (vm_connect()).
 */
#ifndef _SELFTESTS_VMFIX_H
#define _SELFTESTS_VMFIX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "guest-tools/lib/control.h"
#include "guest-tools/lib/pagemap.h"
#include "guest-tools/payloads/pattern.h"
#include "kvm-uvmem/uapi/uvmem.h"
#include "uv-sim/uapi/uv.h"

#define NO_ANSWER INT64_MIN
#define MIB (1ULL << 20)

/* --- machine.c: the kernel, its modules, its parameters --- */

size_t page_size(void);
unsigned int page_order(void);
bool debug_kernel(void); /* KASAN and the like */
/* Everything takes five to twenty times as long: do it less often. */
bool slow_machine(void);
int say(const char *format, ...) __attribute__((format(printf, 1, 2)));
int file_write(const char *path, const char *text);
char *file_read(const char *path); /* malloc()ed; NULL if it cannot be read */
int uvmem_param(const char *name, unsigned int value);
/* Give up the next @count pages' migrations after @step; 0, 0 ends it. */
int fail_migrations(unsigned int step, unsigned int count);
unsigned int fail_migrations_left(void);
unsigned int block_pages(void);		   /* that can move as one folio; 0: none */
int run_program(const char *const argv[]); /* exit status, or -1 */
/* The same numbers for the same seed everywhere. */
uint64_t rnd(uint64_t *state);
void wait_past(const uint64_t *counter, uint64_t floor);

/* What must not change over the life of a VM. */
struct usage {
	uint64_t secure_used;
	uint64_t svms;
	uint64_t device_free;
	uint64_t device_pages;
};

int usage_get(struct usage *u);
/* Waits for closing files, then says what is still in use. */
int usage_check(const struct usage *before);
uint64_t secure_pages(void);
int uvsim_stats(struct uvsim_stats *st);

/* --- modules.c: 0 or an errno --- */

int remove_module(const char *name);
/* Files that are closed at the end of a process may take a moment. */
int remove_soon(const char *name);
int insert_module(const char *name, const char *params); /* from /lib/modules */

/* --- pin.c: somebody else holds pages --- */

struct pin {
	int ring;
};

/* Pinned for good, as for a device, until pin_release(). */
int pin_pages(struct pin *pin, void *addr, size_t npages);
void pin_release(struct pin *pin);

/* --- bytes.c: content --- */

void pattern_fill(void *buf, uint64_t gpa, size_t len, uint64_t seed, uint64_t iteration);
bool all_zeros(const void *buf, size_t len);
/* No 16 bytes of @plain, at any offset, are anywhere in @seen. */
bool no_plaintext(const void *seen, const void *plain, size_t len);
/* As above, and @seen looks random: what a sealed page must look like. */
bool is_ciphertext(const void *seen, const void *plain, size_t len);

/* --- vm.c: a VM that uvlaunch runs --- */

struct vm_opts {
	uint64_t mem;	    /* bytes; 0: enough for 1024 test pages */
	unsigned int vcpus; /* 0: 1 */
	bool bad_measurement;
	const char *owner_key; /* NULL: the ultravisor's */
	const char *esm_blob;  /* file */
};

struct vm {
	struct uvc c;
	pid_t pid; /* 0: no child */
	char id[32];
	uint64_t mem;
	uint64_t free_gpa; /* from here on only tests touch memory */
};

int vm_start(struct vm *vm, const struct vm_opts *opts);
int vm_connect(const struct vm *vm, struct uvc *c);
int vm_refresh(struct vm *vm);
int vm_svm_off(struct vm *vm); /* UVMEM_SVM_OFF, as the launcher does it */
int vm_kill(struct vm *vm);    /* kill -9, and wait */
int vm_quit(struct vm *vm);    /* ask it to end; its exit status or -1 */
/* uvlaunch waits for a client that gave up after its guest had stopped. */
bool vm_alive(const struct vm *vm);
/* Start one and bring it through UV_ESM. */
int vm_start_secure(struct vm *vm, const struct vm_opts *opts);

/* GPA of the @n-th page that only tests touch. */
static inline uint64_t vm_page(const struct vm *vm, unsigned int n)
{
	return vm->free_gpa + (uint64_t)n * page_size();
}

/* --- guest.c: what the guest does; 0, -1, or a code --- */

int64_t guest_do(struct uvc *c, unsigned int vcpu, struct agent_slot *cmd);
int guest_post(struct uvc *c, unsigned int vcpu, const struct agent_slot *cmd);
int64_t guest_wait(struct uvc *c, unsigned int vcpu, struct agent_slot *answer);
int64_t guest_esm(struct vm *vm);
int guest_read(struct vm *vm, uint64_t gpa, void *buf, size_t len); /* any length */
int guest_write(struct vm *vm, uint64_t gpa, const void *buf, size_t len);
int guest_pattern(struct vm *vm, uint64_t gpa, size_t len, uint64_t seed);
int guest_verify(struct vm *vm, uint64_t gpa, size_t len, uint64_t seed, uint64_t iteration);
int guest_is_zero(struct vm *vm, uint64_t gpa, size_t len);
int64_t guest_share(struct vm *vm, uint64_t gpa, uint64_t npages);
int64_t guest_unshare(struct vm *vm, uint64_t gpa, uint64_t npages);
int64_t guest_unshare_all(struct vm *vm);
int64_t guest_ucall(struct vm *vm, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2);
/* The guest touches @gpa and cannot: the SVM stops with this reason there. */
int guest_stops(struct vm *vm, uint64_t gpa, unsigned int reason);

/* --- host.c: the host's side of a VM --- */

int host_read(struct vm *vm, uint64_t gpa, void *buf, size_t len);
int host_write(struct vm *vm, uint64_t gpa, const void *buf, size_t len);
int64_t hcall_fd(int svm_fd, uint64_t nr, const uint64_t args[4], uint64_t *out);
int64_t hcall(struct vm *vm, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
	      uint64_t *out);
int64_t hcall_page_in(struct vm *vm, uint64_t gpa);
int64_t hcall_page_out(struct vm *vm, uint64_t gpa);
unsigned int hv_state_fd(int svm_fd, uint64_t gpa);
unsigned int hv_state(struct vm *vm, uint64_t gpa); /* enum uvmem_gfn_state */
unsigned int uv_state(struct vm *vm, uint64_t gpa); /* enum uv_gfn_state */
/* Both halves agree on the GFN's state; says what they have if not. */
int states_are(struct vm *vm, uint64_t gpa, unsigned int hv, unsigned int uv);
int vm_state_fd(int svm_fd); /* enum uvmem_vm_state, -1 */
int svm_stats(struct vm *vm, struct uvmem_stats *st);
int uvsim_svm(struct vm *vm, struct uvsim_svm *svm);
enum pagemap_kind pagemap_kind_at(pid_t pid, uint64_t addr);
enum pagemap_kind host_pagemap(struct vm *vm, uint64_t gpa);
/* The host reads a secure page: sealed content, nothing of @seed's pattern. */
int host_sees_ciphertext(struct vm *vm, uint64_t gpa, uint64_t seed);
int host_sees_zeros(struct vm *vm, uint64_t gpa);
int host_sees_pattern(struct vm *vm, uint64_t gpa, uint64_t seed);

/* --- touch.c --- */

/*
 * The signal that reading or writing a byte gets, SIGALRM if it hangs until then, or 0: it
 * is *@seen, or was written. Handlers and alarm are the caller's no more.
 */
int signal_of_touch(volatile uint8_t *p, bool write, uint8_t *seen);

/* --- own.c: an SVM whose host view and ultravisor file are the test's --- */

struct own {
	int svm; /* UVMEM_CREATE_SVM; with upstream's half, UVUP_ATTACH */
	int hv;	 /* the hypervisor's KVM VM; -1 with kvm-uvmem */
	int uv;	 /* /dev/uvsim, bound */
	uint32_t lpid;
	uint8_t *h;
	size_t len;
	pthread_t esm_thread;
	bool esm_running;
	int64_t esm_ret; /* after own_esm_join() */
	uint64_t blob_gpa;
};

int own_create(struct own *o);
int own_bind(struct own *o);
int own_off(struct own *o); /* terminate */
int own_memslot(struct own *o, unsigned int slot, size_t page, size_t npages);
int own_open(struct own *o, size_t npages); /* bound, a memslot at GPA 0, no page touched */
int own_open_huge(struct own *o, size_t npages, size_t align); /* transparent huge pages */
void own_close(struct own *o);
void own_fill(struct own *o, size_t first, size_t n, uint64_t seed); /* touches pages */
/*
 * A child that has all of H as well, and nothing else of the SVM's. The end of @go lets it
 * look whether the first @pages are zeros, and exit.
 */
pid_t own_child_stays(struct own *o, size_t pages, int go[2]);
int own_child_found_zeros(pid_t pid, int go[2]);
int own_lock_memory(struct own *o); /* H is to stay in memory, as mlock(); touches nothing */
/*
 * Put a blob at the end of H that measures the first @measured bytes @times
 * over, so that UV_ESM is under way for as long as a test needs.
 */
int own_blob(struct own *o, size_t measured, unsigned int times, bool good);
size_t own_blob_pages(void);  /* that it takes at the end of H */
int own_key(uint8_t key[32]); /* the owner key that the ultravisor has */
int64_t own_ucall(struct own *o, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
		  uint64_t a4);
int64_t own_esm(struct own *o);	  /* with the blob */
int own_esm_start(struct own *o); /* in a thread */
/* All pages are in and measuring goes on; the page before the blob is untouched. */
int own_wait_transient(struct own *o);
int64_t own_esm_join(struct own *o);
int64_t own_hcall(struct own *o, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
		  uint64_t *out);
unsigned int own_hv_state(struct own *o, size_t page);
unsigned int own_uv_state(struct own *o, size_t page);
int own_has_pattern(struct own *o, size_t first, size_t n, uint64_t seed);
/* An SVM in state Secure with its first @touched pages resident, @seed's pattern. */
int own_open_secure(struct own *o, size_t npages, size_t touched, uint64_t seed);

/* --- upstream.c: an SVM of KVM-HV's own hypervisor half --- */

bool upstream_is_here(void); /* uv-upstream.ko is loaded */
int upstream_create(struct own *o);
int upstream_memslot(struct own *o, const struct uvmem_memslot *slot);
int upstream_off(struct own *o);

/*
 * --- vcpu.c and lib/ARCH/vcpu.c: one vCPU for such an SVM ---
 *
 * It runs a few instructions of its own page and reads or writes one byte, so
 * that a test sees both sides of a page from one process.
 */

struct own_vcpu {
	int kvm, vm, vcpu;
	void *run;
	size_t run_bytes;
	uint8_t *g; /* the guest view */
	size_t len;
	uint64_t code_gpa;
};

/* Before UV_ESM: put the instructions into a page. */
void own_vcpu_code(struct own *o, size_t page);
/* After it: map the guest view and run on it. */
int own_vcpu_open(struct own_vcpu *v, struct own *o, size_t code_page);
/* Another SVM, of the same size, takes the place of the one it ran on. */
int own_vcpu_move(struct own_vcpu *v, const struct own *o);
/* KVM forgets what it mapped; the guest view stays as it is. */
int own_vcpu_forget(struct own_vcpu *v);
void own_vcpu_close(struct own_vcpu *v);
/* The machine's part of opening; -1 with errno set. */
int own_vcpu_init(struct own_vcpu *v);
/* 0, or the errno of KVM_RUN: EFAULT when the access is refused. */
int own_vcpu_read(struct own_vcpu *v, uint64_t gpa, uint8_t *byte);
int own_vcpu_write(struct own_vcpu *v, uint64_t gpa, uint8_t byte);
/* Reads @n bytes, @stride apart, without coming out in between. */
int own_vcpu_touch(struct own_vcpu *v, uint64_t gpa, uint64_t stride, uint64_t n);

#endif /* _SELFTESTS_VMFIX_H */
