#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares what both ends of a negotiation installed: SPIs, algorithms, every key.

    keys.py RECORD PEER-RECORD PAIRS [ENCRYPTION [INTEGRITY]]

RECORD is what esptund --record wrote, PEER-RECORD what xfrm_stub.c did. Exactly PAIRS pairs of SAs must
be there, each SA with the same key at both ends; with ENCRYPTION and INTEGRITY (names as the
kernel's crypto API has them) also of these algorithms.
"""
import json
import sys

ENCR = {3: 'des3_ede', 11: 'cipher_null', 12: 'aes', 13: 'rfc3686(ctr(aes))', 23: 'rfc4543(gcm(aes))',
        **dict.fromkeys((14, 15, 16), 'rfc4309(ccm(aes))'), **dict.fromkeys((18, 19, 20), 'rfc4106(gcm(aes))')}
AUTH = {0: None, 1: 'hmac(md5)', 2: 'hmac(sha1)', 5: 'hmac(sha256)', 6: 'hmac(sha384)', 7: 'hmac(sha512)',
        9: 'xcbc(aes)', 61445: 'hmac(sha256)'}
# charon calls some by older names that mean the same.
PEER_AUTH = {'md5': 'hmac(md5)', 'sha1': 'hmac(sha1)', 'sha256': 'hmac(sha256)'}
# Bits to which the kernel cuts where charon names no length.
PEER_ICV = {'md5': 96, 'sha1': 96, 'sha256': 96, 'hmac(md5)': 96, 'hmac(sha1)': 96, 'hmac(sha256)': 96,
            'hmac(sha384)': 192, 'hmac(sha512)': 256, 'xcbc(aes)': 96}
ICV = {1: 96, 2: 96, 5: 128, 6: 192, 7: 256, 9: 96, 61445: 96}
ICV_COMBINED = {14: 64, 15: 96, 16: 128, 18: 64, 19: 96, 20: 128, 23: 128}


def live(path, add):
    """The lines of SAs that were added and not deleted."""
    sas = {}
    with open(path, encoding='ascii') as f:
        for line in f:
            o = json.loads(line)
            # One SPI may be an inbound SA here and an outbound one there.
            key = (o.get('dir') or o.get('dst'), o.get('spi'))
            if o['op'] == add:
                sas[key] = o
            elif o['op'] in ('sa-del', 'del'):
                sas.pop(key, None)
    return list(sas.values())


def differences(ours, theirs):
    """What is not the same in one SA at both ends."""
    encr = ENCR[ours['transform']]
    auth = AUTH[ours['auth']]
    wanted = {
        'src': ours['remote'] if ours['dir'] == 'in' else ours['local'],
        'dst': ours['local'] if ours['dir'] == 'in' else ours['remote'],
        'encr': encr, 'auth': auth, 'encr_key': ours['encr_key'], 'auth_key': ours['auth_key'], 'esn': ours['esn'],
    }
    wanted['icv_bits'] = ICV[ours['auth']] if auth else ICV_COMBINED[ours['transform']]
    found = {
        'src': theirs['src'], 'dst': theirs['dst'], 'encr': theirs.get('aead') or theirs.get('encr'),
        'auth': PEER_AUTH.get(theirs.get('auth'), theirs.get('auth')), 'encr_key': theirs.get('encr_key', ''),
        'auth_key': theirs.get('auth_key', ''), 'esn': theirs['esn'],
        'icv_bits': theirs.get('icv_bits', PEER_ICV.get(theirs.get('auth'))),
    }
    return [f'{k}: here {v}, at the peer {found[k]}' for k, v in wanted.items() if v != found[k]]


def main(record, peer_record, pairs, encr=None, auth=None):
    bad = []
    ours = live(record, 'sa-add')
    theirs = {(o['spi'], o['dst']): o for o in live(peer_record, 'add')}
    for way in ('in', 'out'):
        n = sum(o['dir'] == way for o in ours)
        if n != int(pairs):
            bad.append(f'{n} SAs {way}, expected {pairs}')
    for o in ours:
        peer = theirs.pop((o['spi'], o['local'] if o['dir'] == 'in' else o['remote']), None)
        if not peer:
            bad.append(f'SA {o["dir"]} {o["spi"]} is not at the peer')
            continue
        bad += [f'SA {o["dir"]} {o["spi"]}: {d}' for d in differences(o, peer)]
        if encr and ENCR[o['transform']] != encr:
            bad.append(f'encryption {ENCR[o["transform"]]}, expected {encr}')
        if auth and (AUTH[o['auth']] or 'none') != auth:
            bad.append(f'integrity {AUTH[o["auth"]]}, expected {auth}')
        if o['transform'] != 11 and not o['encr_key'].strip('0'):
            bad.append('the key is zero')
    bad += [f'SA {spi} to {dst} is only at the peer' for spi, dst in theirs]
    for line in bad:
        print(line)
    return 1 if bad else 0


if __name__ == '__main__':
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
