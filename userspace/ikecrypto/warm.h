/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For a process that is about to give up files: libcrypto reads its configuration and loads its
 * providers when something is first used.
 */
#ifndef IKECRYPTO_WARM_H
#define IKECRYPTO_WARM_H

/*
 * Uses once what certificates and signatures need, with keys made for this and thrown away. What a
 * provider refuses is refused again when it is needed, and said then.
 */
void ikecrypto_warm_up(void);

#endif
