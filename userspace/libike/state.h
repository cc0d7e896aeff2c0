/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * States of exchanges and ISAKMP SAs, their names, and the names Cisco's users know them
 * by. A state says what has happened. The one setter is ike_exchange_set_state().
 */
#ifndef LIBIKE_STATE_H
#define LIBIKE_STATE_H

/* symbol, what it is called, its Cisco alias */
#define IKE_STATES(X) \
	X(IKE_ST_MM_START, "MM_START", "MM_NO_STATE") /* nothing sent or taken yet */ \
	X(IKE_ST_MM_SA_SENT, "MM_SA_SENT", "MM_NO_STATE") /* initiator: MM1 out */ \
	X(IKE_ST_MM_SA_ANSWERED, "MM_SA_ANSWERED", "MM_SA_SETUP") /* responder: MM2 out */ \
	X(IKE_ST_MM_KEY_SENT, "MM_KEY_SENT", "MM_SA_SETUP") /* initiator: MM3 out */ \
	X(IKE_ST_MM_KEY_ANSWERED, "MM_KEY_ANSWERED", "MM_KEY_EXCH") /* responder: MM4 out */ \
	X(IKE_ST_MM_AUTH_SENT, "MM_AUTH_SENT", "MM_KEY_EXCH") /* initiator: MM5 out */ \
	X(IKE_ST_MM_DONE, "MM_ESTABLISHED", "QM_IDLE") \
	X(IKE_ST_AM_START, "AM_START", "AG_NO_STATE") /* nothing sent or taken yet */ \
	X(IKE_ST_AM_SENT, "AM_SENT", "AG_NO_STATE") /* initiator: AM1 out */ \
	X(IKE_ST_AM_ANSWERED, "AM_ANSWERED", "AG_INIT_EXCH") /* responder: AM2 out */ \
	X(IKE_ST_AM_AUTH_SENT, "AM_AUTH_SENT", "AG_AUTH") /* initiator: AM3 out, no sign yet that it arrived */ \
	X(IKE_ST_AM_DONE, "AM_ESTABLISHED", "QM_IDLE") \
	X(IKE_ST_XAUTH, "XAUTH", "CONF_XAUTH") /* phase 1 is through, the login is not */ \
	X(IKE_ST_MODE_CONFIG, "MODE_CONFIG", "CONF_ADDR") /* the inner address is not given yet */ \
	X(IKE_ST_TR_START, "TR_START", "CONF_XAUTH") /* nothing sent or taken yet */ \
	X(IKE_ST_TR_SENT, "TR_SENT", "CONF_XAUTH") /* REQUEST or SET out */ \
	X(IKE_ST_TR_DONE, "TR_DONE", "QM_IDLE") \
	X(IKE_ST_QM_START, "QM_START", "QM_IDLE") /* initiator: waiting for an SPI; responder: QM1 not taken */ \
	X(IKE_ST_QM_SENT, "QM_SENT", "QM_IDLE") /* initiator: QM1 out */ \
	X(IKE_ST_QM_INSTALLING, "QM_INSTALLING", "QM_IDLE") /* waiting for the kernel */ \
	X(IKE_ST_QM_ANSWERED, "QM_ANSWERED", "QM_IDLE") /* responder: QM2 out */ \
	X(IKE_ST_QM_DONE, "QM_DONE", "QM_IDLE") \
	X(IKE_ST_INFO_START, "INFO_START", "QM_IDLE") \
	X(IKE_ST_INFO_DONE, "INFO_DONE", "QM_IDLE") \
	X(IKE_ST_DEAD, "DEAD", "MM_NO_STATE")

#define IKE_STATE_ENUM(sym, name, cisco) sym,
enum ike_state { IKE_STATES(IKE_STATE_ENUM) };
#undef IKE_STATE_ENUM

const char *ike_state_name(enum ike_state s);
const char *ike_state_cisco_name(enum ike_state s);

#endif
