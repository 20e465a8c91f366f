// SPDX-License-Identifier: GPL-2.0
/* Load a payload image and check what its header says about itself. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vm.h"

static int read_all(int fd, uint8_t *to, size_t len)
{
	while (len) {
		ssize_t n = read(fd, to, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : EIO;
			return -1;
		}
		to += n;
		len -= (size_t)n;
	}
	return 0;
}

static bool inside(uint64_t gpa, uint64_t bytes)
{
	return gpa >= AGENT_LOAD_GPA && gpa - AGENT_LOAD_GPA < bytes;
}

static bool header_is_sane(const struct payload_header *header, uint64_t file_bytes)
{
	return header->magic == PAYLOAD_MAGIC && header->image_bytes <= file_bytes &&
	       header->measured_bytes <= header->image_bytes &&
	       header->image_bytes <= header->memory_bytes &&
	       header->memory_bytes <= AGENT_FREE_GPA - AGENT_LOAD_GPA &&
	       inside(header->entry, header->measured_bytes) &&
	       inside(header->secure_entry, header->measured_bytes);
}

static int load(struct vm *vm, int fd, const char *file)
{
	struct stat st;

	if (fstat(fd, &st))
		return fail_errno("cannot stat %s", file);
	if (st.st_size < (off_t)sizeof(vm->payload) ||
	    (uint64_t)st.st_size > AGENT_FREE_GPA - AGENT_LOAD_GPA)
		return fail("%s: %lld bytes are no payload", file, (long long)st.st_size);
	if (read_all(fd, vm->h + AGENT_LOAD_GPA, (size_t)st.st_size))
		return fail_errno("cannot read %s", file);
	memcpy(&vm->payload, vm->h + AGENT_LOAD_GPA, sizeof(vm->payload));
	if (!header_is_sane(&vm->payload, (uint64_t)st.st_size))
		return fail("%s has no valid payload header", file);
	return 0;
}

int payload_load(struct vm *vm)
{
	const char *file = vm->opt.payload;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return fail_errno("cannot open payload %s", file);
	ret = load(vm, fd, file);
	close(fd);
	return ret;
}
