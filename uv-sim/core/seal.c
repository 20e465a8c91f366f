// SPDX-License-Identifier: GPL-2.0
/*
 * Sealing of pages that leave secure memory: AES-256-GCM under a key that only
 * this life of the SVM has.
 *
 * The IV is a random prefix and a counter that never repeats under one key.
 * The associated data bind a page to the SVM, its GPA and its size, so that
 * another page's ciphertext does not open; an older copy of the same page does
 * not either, since IV and tag of the last page-out are kept in the GFN entry.
 *
 * The cipher never works on memory that the hypervisor can write: GCM reads
 * what it has written, and a hypervisor that changes it in between would get a
 * tag over ciphertext of its own making. So a page is sealed into a scratch
 * page and copied out, and copied in before it is opened. Where there is no cipher,
 * for benchmarks, nothing reads anything back.
 *
 * Called with the GFN's lock held. Takes uv->scratch[], svm->table. Setup and clear: with
 * svm->life held; setup takes uv->lpids.
 */
#include "internal.h"

#define AAD_BYTES	24

/* Written out, so that a compiler makes one store of it. */
static void put_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static void put_le64(uint8_t *p, uint64_t v)
{
	put_le32(p, (uint32_t)v);
	put_le32(p + 4, (uint32_t)(v >> 32));
}

static void make_aad(const struct uv_gfn_ref *ref, uint8_t aad[AAD_BYTES])
{
	const struct uv_svm *svm = ref->svm;

	put_le32(aad, svm->lpid);
	put_le64(aad + 4, svm->generation);
	put_le64(aad + 12, uv_gpa(svm->uv, ref->gfn));
	put_le32(aad + 20, svm->uv->port.page_shift);
}

/* The chunk of a GFN has used up its IVs: the next ones, which nobody else gets. */
static bool more_ivs(struct uv_svm *svm, struct uv_iv_block *block)
{
	bool ok;

	uv_lock(svm->uv, svm->table);
	ok = svm->iv_counter <= ~0ULL - UV_IV_BLOCK;
	if (ok) {
		block->next = svm->iv_counter;
		svm->iv_counter += UV_IV_BLOCK;
		block->end = svm->iv_counter;
	}
	uv_unlock(svm->uv, svm->table);
	return ok;
}

/* Sets *@scratch to the scratch page to use, too: chunks tend to get different ones. */
static bool next_iv(struct uv_gfn_ref *ref, uint8_t iv[UV_IV_BYTES], struct uv_scratch **scratch)
{
	struct uv_svm *svm = ref->svm;
	struct uv_iv_block *block = &svm->iv[uv_gfn_chunk_index(ref->gfn)];

	if (block->next == block->end && !more_ivs(svm, block))
		return false;
	*scratch = &svm->uv->scratch[block->next / UV_IV_BLOCK % UV_NSCRATCH];
	memcpy(iv, svm->iv_prefix, sizeof(svm->iv_prefix));
	put_le64(iv + sizeof(svm->iv_prefix), block->next++);
	return true;
}

/* A new key for @svm. Called with svm->life held, while the VM is normal. */
bool uv_seal_setup(struct uv_svm *svm)
{
	const struct uv_port *port = &svm->uv->port;
	uint8_t key[UV_KEY_BYTES];

	if (port->random(port->ctx, svm->iv_prefix, sizeof(svm->iv_prefix)) ||
	    port->random(port->ctx, key, sizeof(key)))
		return false;
	svm->key = port->aead_key(port->ctx, key);
	uv_wipe(key, sizeof(key));
	if (!svm->key)
		return false;
	svm->iv_counter = 0;
	memset(svm->iv, 0, sizeof(svm->iv));
	uv_lock(svm->uv, svm->uv->lpids);
	svm->generation = svm->uv->generations++;
	uv_unlock(svm->uv, svm->uv->lpids);
	return true;
}

/* Called with svm->life held, when no operation on a GFN can use the key. */
void uv_seal_clear(struct uv_svm *svm)
{
	if (svm->key)
		svm->uv->port.aead_free(svm->uv->port.ctx, svm->key);
	svm->key = NULL;
}

static int copy_out(struct uv *uv, const void *page, uint64_t ra)
{
	const struct uv_port *port = &uv->port;
	void *dst = port->map(port->ctx, ra, true);

	if (!dst)
		return UV_SEAL_BADRA;
	uv_copy_page(uv, dst, page);
	uv_unmap(uv, dst);
	return 0;
}

/*
 * Seal the page at @src, in secure memory, into the normal page @dest_ra.
 * Nothing is written there on failure. Returns 0, UV_SEAL_BADRA, or -1 when
 * there is no IV left or the cipher fails.
 */
int uv_seal_page(struct uv_gfn_ref *ref, const void *src, uint64_t dest_ra, struct uv_seal *seal)
{
	struct uv *uv = ref->svm->uv;
	struct uv_scratch *s;
	uint8_t aad[AAD_BYTES];
	int err = -1;

	if (!next_iv(ref, seal->iv, &s))
		return -1;
	if (uv->plain_copy)
		return copy_out(uv, src, dest_ra);
	make_aad(ref, aad);
	uv_lock(uv, s->lock);
	if (!uv->port.seal(uv->port.ctx, ref->svm->key, seal->iv, aad, sizeof(aad), src, s->page,
			   uv_page_size(uv), seal->tag))
		err = copy_out(uv, s->page, dest_ra);
	uv_unlock(uv, s->lock);
	return err;
}

/*
 * Open, in place, the sealed page that was copied to @page in secure memory.
 * Fails if it is not the page that @seal was made for.
 */
int uv_open_page(struct uv_gfn_ref *ref, void *page, const struct uv_seal *seal)
{
	struct uv *uv = ref->svm->uv;
	uint8_t aad[AAD_BYTES];

	make_aad(ref, aad);
	return uv->port.open(uv->port.ctx, ref->svm->key, seal->iv, aad, sizeof(aad), page, page,
			     uv_page_size(uv), seal->tag);
}
