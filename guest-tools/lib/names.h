/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of the numbers that the tools print: return codes, calls, states.
 *
 * Every function that takes a number from outside returns NULL where the
 * number has no name, except *_state_name() and the like, which are for output
 * only and return "unknown".
 */
#ifndef _UVC_NAMES_H
#define _UVC_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * papr_name() - name of a hypercall's return code
 * @code: as returned
 *
 * Return: for example "H_P2", or NULL.
 */
const char *papr_name(int64_t code);

/**
 * papr_uv_name() - name of an ultracall's return code
 * @code: as returned
 *
 * Two pairs of ultracall codes share a number; the name that the kernel's
 * header knows wins: U_STATE over U_INVALID, U_NOT_AVAILABLE over U_NO_KEY.
 * call_code_name() knows which one a given ultracall means.
 *
 * Return: for example "U_P2", or NULL.
 */
const char *papr_uv_name(int64_t code);

/**
 * papr_meaning() - what a return code says, whatever the call
 * @code: as returned
 *
 * Return: for example "parameter 2 is invalid", or NULL.
 */
const char *papr_meaning(int64_t code);

/**
 * ucall_name() - name of an ultracall, or of a hypercall the ultravisor answers
 * @nr: number
 *
 * Return: for example "UV_SHARE_PAGE", or NULL.
 */
const char *ucall_name(uint64_t nr);

/**
 * hcall_name() - name of a hypercall
 * @nr: number
 *
 * Return: for example "H_SVM_PAGE_IN", or NULL.
 */
const char *hcall_name(uint64_t nr);

/**
 * call_by_name() - number of an ultracall or hypercall
 * @name: for example "UV_ESM"; case does not matter
 * @nr: the number goes here
 *
 * Return: whether there is such a call.
 */
bool call_by_name(const char *name, uint64_t *nr);

/**
 * call_code_name() - name of what a given call returned
 * @nr: the call's number
 * @code: what it returned
 *
 * Return: "U_INVALID" for -75 of UV_SHARE_PAGE, "H_STATE" for -75 of
 * H_SVM_INIT_START; NULL if @code has no name.
 */
const char *call_code_name(uint64_t nr, int64_t code);

/**
 * call_code_meaning() - what a return code says about a given call
 * @nr: the call's number
 * @code: what it returned
 *
 * Return: for example "gfn is invalid"; never NULL.
 */
const char *call_code_meaning(uint64_t nr, int64_t code);

/**
 * call_describe() - a returned code, for people
 * @buf: room for the text, cut off if too small
 * @size: bytes in @buf
 * @nr: the call's number
 * @code: what it returned
 *
 * Writes for example "UV_SHARE_PAGE: -4 (U_PARAMETER: gfn is invalid)".
 */
void call_describe(char *buf, size_t size, uint64_t nr, int64_t code);

const char *uvmem_gfn_state_name(unsigned int state); /* enum uvmem_gfn_state */
const char *uvmem_vm_state_name(unsigned int state);  /* enum uvmem_vm_state */
const char *uv_gfn_state_name(unsigned int state);    /* enum uv_gfn_state */
const char *uv_vm_state_name(unsigned int state);     /* enum uv_vm_state */
const char *uv_stop_reason_name(unsigned int reason); /* enum uv_stop_reason */
const char *uv_stop_reason_text(unsigned int reason); /* a clause for people */
const char *uvc_guest_state_name(unsigned int state); /* enum uvc_guest_state */
const char *agent_cmd_name(unsigned int cmd);	      /* enum agent_cmd */

#endif /* _UVC_NAMES_H */
