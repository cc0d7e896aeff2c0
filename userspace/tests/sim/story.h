/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the stories are told with, and the stories. Host 0 is Alice, host 1 Bob, host 2 Carol; the
 * network is bad in a way the seed has chosen. Unless a story says otherwise, from the moment the
 * tunnel has been up in both directions no packet may be lost to the state of SAs, and in the end
 * there is exactly one pair for each selector; then both ends take it down and nothing is left.
 */
#ifndef SIM_STORY_H
#define SIM_STORY_H

#include "check.h"
#include "world.h"

enum { ALICE, BOB, CAROL };

/* ---- sentences ---------------------------------------------------------------------------- */

ike_time story_between(struct sim_world *w, ike_time from, ike_time to);
/* A tunnel, for everything; the other one has up to three selectors, each a link of its own. */
struct sim_link *story_alice_and_bob_plain(struct sim_world *w, enum ike_start alice, enum ike_start bob);
struct sim_link *story_alice_and_bob(struct sim_world *w, enum ike_start alice, enum ike_start bob);
/* All hosts start within a few seconds, in any order. */
void story_everybody_starts(struct sim_world *w);
void story_comes_up(struct sim_world *w, ike_time patience);
void story_both_start_and_come_up(struct sim_world *w);
/* Grace periods end, finished exchanges are forgotten. */
void story_peace(struct sim_world *w);
void story_one_pair_remains(struct sim_world *w);
void story_network_is_good_now(struct sim_world *w);
void story_everybody_goes_down(struct sim_world *w);
void story_the_end(struct sim_world *w);
struct sim_host *story_somebody(struct sim_world *w);
unsigned long long story_pairs_made(const struct sim_host *h);
unsigned long long story_isakmp_sas_made(const struct sim_host *h);

/* ---- the stories, one file for each kind ---------------------------------------------------- */

/* story_up.c */
void tell_start_one(struct sim_world *w);
void tell_start_both(struct sim_world *w);
void tell_start_traffic(struct sim_world *w);
void tell_start_command(struct sim_world *w);
void tell_three_hosts(struct sim_world *w);
void tell_down_and_up(struct sim_world *w);
void tell_peer_deletes(struct sim_world *w);

/* story_rekey.c */
void tell_rekey_p2(struct sim_world *w);
void tell_rekey_p1(struct sim_world *w);
void tell_rekey_collision(struct sim_world *w);
void tell_rekey_storm(struct sim_world *w);
void tell_lifetimes(struct sim_world *w);
void tell_volume(struct sim_world *w);
void tell_month(struct sim_world *w);

/* story_nat.c */
void tell_nat(struct sim_world *w);
void tell_nat_restart(struct sim_world *w);

/* story_selectors.c */
void tell_selectors_change(struct sim_world *w);
void tell_selector_refused(struct sim_world *w);
void tell_many_selectors(struct sim_world *w);

/* story_wrong.c */
void tell_wrong_psk(struct sim_world *w);
void tell_no_common_p1(struct sim_world *w);
void tell_no_common_p2(struct sim_world *w);
void tell_wrong_id(struct sim_world *w);
void tell_wrong_networks(struct sim_world *w);

/* story_break.c */
void tell_peer_reboot(struct sim_world *w);
void tell_silent_reboot(struct sim_world *w);
void tell_dead_peer(struct sim_world *w);
void tell_silence(struct sim_world *w);
void tell_keyer_restart(struct sim_world *w);
void tell_network_break(struct sim_world *w);
void tell_suspend(struct sim_world *w);
void tell_address(struct sim_world *w);

/* story_hostile.c */
void tell_kernel_refuses(struct sim_world *w);
void tell_memory_once(struct sim_world *w);
void tell_memory_short(struct sim_world *w);
void tell_reconfigure(struct sim_world *w);
void tell_remove_and_add(struct sim_world *w);
void tell_attacker(struct sim_world *w);
void tell_flood(struct sim_world *w);

#endif
