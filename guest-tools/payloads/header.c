// SPDX-License-Identifier: GPL-2.0
/* The header of the image, filled in by the linker. */
#include "header.h"

extern const char payload_measured_bytes[], payload_image_bytes[], payload_memory_bytes[];
void start(void);
void secure_start(void);

const struct payload_header payload_header __attribute__((section(".header"), used)) = {
	.magic = PAYLOAD_MAGIC,
	.entry = (uint64_t)start,
	.secure_entry = (uint64_t)secure_start,
	.measured_bytes = (uint64_t)payload_measured_bytes,
	.image_bytes = (uint64_t)payload_image_bytes,
	.memory_bytes = (uint64_t)payload_memory_bytes,
};
