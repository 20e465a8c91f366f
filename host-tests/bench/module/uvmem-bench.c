// SPDX-License-Identifier: GPL-2.0
/*
 * The limit that the benchmark compares with: the kernel's AES-256-GCM, one
 * page after the other in one loop with nothing around it, a plain copy, the same by
 * two CPUs at once, and the wiping of a page.
 *
 * /sys/kernel/debug/uvmem-bench/{seal,open,copy,copy_pair,wipe}: reading one goes once
 * over pages (a file beside them) pages and tells the nanoseconds that it took.
 */
#include <crypto/aead.h>
#include <linux/bits.h>
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#define KEY_BYTES	32
#define IV_BYTES	12
#define TAG_BYTES	16
#define AAD_BYTES	24	/* as many as a sealed page has */
#define PAGES_MAX	BIT(20)
#define WINDOW		1024	/* pages that the loop goes round in */

static DEFINE_MUTEX(lock);	/* everything below */
static struct dentry *dir;
static u32 pages = 1024;
static struct crypto_aead *tfm;
static struct aead_request *req;
static u8 *head;		/* associated data, then the tag */
static void *from[WINDOW], *to[WINDOW];

static void operand(struct scatterlist sg[3], void *page)
{
	sg_init_table(sg, 3);
	sg_set_buf(&sg[0], head, AAD_BYTES);
	sg_set_buf(&sg[1], page, PAGE_SIZE);
	sg_set_buf(&sg[2], head + AAD_BYTES, TAG_BYTES);
}

static int crypt_page(void *src, void *dst, u64 nr, bool encrypt)
{
	struct scatterlist in[3], out[3];
	DECLARE_CRYPTO_WAIT(wait);
	u8 iv[IV_BYTES] = {};

	memcpy(iv, &nr, sizeof(nr));
	operand(in, src);
	operand(out, dst);
	aead_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP | CRYPTO_TFM_REQ_MAY_BACKLOG,
				  crypto_req_done, &wait);
	aead_request_set_ad(req, AAD_BYTES);
	aead_request_set_crypt(req, in, out, PAGE_SIZE + (encrypt ? 0 : TAG_BYTES), iv);
	return crypto_wait_req(encrypt ? crypto_aead_encrypt(req) : crypto_aead_decrypt(req),
			       &wait);
}

static int seal_page(u64 nr)
{
	return crypt_page(from[nr % WINDOW], to[nr % WINDOW], nr, true);
}

/* The tag is another page's: all of the work is done, and then refused. */
static int open_page(u64 nr)
{
	int err = crypt_page(to[nr % WINDOW], from[nr % WINDOW], nr, false);

	return err == -EBADMSG ? 0 : err;
}

static int copy_page_once(u64 nr)
{
	copy_page(to[nr % WINDOW], from[nr % WINDOW]);
	return 0;
}

/* As the ultravisor does it, which asks its port for the size of a page. */
static size_t page_bytes = PAGE_SIZE;

static int wipe_page(u64 nr)
{
	memset(to[nr % WINDOW], 0, READ_ONCE(page_bytes));
	return 0;
}

static int go_over(int (*one)(u64 nr), u64 *ns)
{
	u64 nr, start;
	int err = 0;

	mutex_lock(&lock);
	start = ktime_get_ns();
	for (nr = 0; nr < min_t(u32, pages, PAGES_MAX) && !err; nr++) {
		err = one(nr);
		cond_resched();
	}
	*ns = ktime_get_ns() - start;
	mutex_unlock(&lock);
	return err;
}

static int seal_get(void *data, u64 *val)
{
	return go_over(seal_page, val);
}
DEFINE_DEBUGFS_ATTRIBUTE(seal_fops, seal_get, NULL, "%llu\n");

static int open_get(void *data, u64 *val)
{
	return go_over(open_page, val);
}
DEFINE_DEBUGFS_ATTRIBUTE(open_fops, open_get, NULL, "%llu\n");

static int copy_get(void *data, u64 *val)
{
	return go_over(copy_page_once, val);
}
DEFINE_DEBUGFS_ATTRIBUTE(copy_fops, copy_get, NULL, "%llu\n");

/* A CPU's half of the pages, in a half of the window. */
struct half {
	struct work_struct work;
	unsigned int first;
};

static void copy_half(struct work_struct *work)
{
	struct half *half = container_of(work, struct half, work);
	u64 nr;

	for (nr = 0; nr < min_t(u32, pages, PAGES_MAX) / 2; nr++) {
		copy_page_once(half->first + nr % (WINDOW / 2));
		cond_resched();
	}
}

static int copy_pair_get(void *data, u64 *val)
{
	struct half half[2] = { { .first = 0 }, { .first = WINDOW / 2 } };
	int cpu = cpumask_first(cpu_online_mask), i;
	u64 start;

	mutex_lock(&lock);
	start = ktime_get_ns();
	for (i = 0; i < 2; i++) {
		INIT_WORK_ONSTACK(&half[i].work, copy_half);
		schedule_work_on(cpu, &half[i].work);
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
	}
	for (i = 0; i < 2; i++) {
		flush_work(&half[i].work);
		destroy_work_on_stack(&half[i].work);
	}
	*val = ktime_get_ns() - start;
	mutex_unlock(&lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(copy_pair_fops, copy_pair_get, NULL, "%llu\n");

static int wipe_get(void *data, u64 *val)
{
	return go_over(wipe_page, val);
}
DEFINE_DEBUGFS_ATTRIBUTE(wipe_fops, wipe_get, NULL, "%llu\n");

static void free_all(void)
{
	int i;

	for (i = 0; i < WINDOW; i++) {
		free_page((unsigned long)from[i]);
		free_page((unsigned long)to[i]);
	}
	kfree(head);
	aead_request_free(req);
	if (!IS_ERR_OR_NULL(tfm))
		crypto_free_aead(tfm);
}

static int set_up(void)
{
	static const u8 key[KEY_BYTES];
	int i;

	tfm = crypto_alloc_aead("gcm(aes)", 0, 0);
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	if (crypto_aead_setkey(tfm, key, sizeof(key)) ||
	    crypto_aead_setauthsize(tfm, TAG_BYTES))
		return -EINVAL;
	req = aead_request_alloc(tfm, GFP_KERNEL);
	head = kzalloc(AAD_BYTES + TAG_BYTES, GFP_KERNEL);
	if (!req || !head)
		return -ENOMEM;
	for (i = 0; i < WINDOW; i++) {
		from[i] = (void *)get_zeroed_page(GFP_KERNEL);
		to[i] = (void *)get_zeroed_page(GFP_KERNEL);
		if (!from[i] || !to[i])
			return -ENOMEM;
	}
	return 0;
}

static int __init bench_init(void)
{
	int err = set_up();

	if (err) {
		free_all();
		return err;
	}
	dir = debugfs_create_dir("uvmem-bench", NULL);
	debugfs_create_u32("pages", 0600, dir, &pages);
	debugfs_create_file_unsafe("seal", 0400, dir, NULL, &seal_fops);
	debugfs_create_file_unsafe("open", 0400, dir, NULL, &open_fops);
	debugfs_create_file_unsafe("copy", 0400, dir, NULL, &copy_fops);
	debugfs_create_file_unsafe("copy_pair", 0400, dir, NULL, &copy_pair_fops);
	debugfs_create_file_unsafe("wipe", 0400, dir, NULL, &wipe_fops);
	return 0;
}

static void __exit bench_exit(void)
{
	debugfs_remove(dir);
	free_all();
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("The limit: AES-256-GCM and a copy in a loop");
