/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the module that are pure arithmetic need of the kernel. They are
 * compiled into userspace tests as well, where this stands for it. Never holds code of ours.
 */
#ifndef _ESPTUN_PURE_H
#define _ESPTUN_PURE_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/string.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
#endif

#endif /* _ESPTUN_PURE_H */
