/** `[p2p]`: who the peers are, and how many. */
import { parseListenAddress, parsePeerAddress } from './address.ts';
import { duration, type Fields, flag, list, orUndefined, text, whole } from './field.ts';
import { fileRule, listenRule } from './rules.ts';

/** `[p2p]` */
export interface P2pConfig {
  readonly laddr: string;
  /** Where others reach this node, if that is not `laddr`; empty: `laddr`. */
  readonly externalAddress: string;
  /** Nodes that are asked for addresses; in the form of `persistentPeers`. */
  readonly seeds: readonly string[];
  /** Each as written: a multiaddr or `<peer id>@host:port`; `parsePeerAddress` makes them one form. */
  readonly persistentPeers: readonly string[];
  readonly maxNumInboundPeers: number;
  readonly maxNumOutboundPeers: number;
  /** Peer ids. */
  readonly unconditionalPeerIds: readonly string[];
  readonly privatePeerIds: readonly string[];
  readonly pex: boolean;
  readonly seedMode: boolean;
  /** Relative to the home unless absolute. */
  readonly addrBookFile: string;
  readonly addrBookStrict: boolean;
  readonly allowDuplicateIp: boolean;
  /** Longest wait between two dials of a persistent peer; 0: the default. */
  readonly persistentPeersMaxDialPeriodMs: number;
  /** Bytes a second, of each peer. */
  readonly sendRate: number;
  readonly recvRate: number;
  /** Bytes a second of answers to the requests of each peer. */
  readonly answerRate: number;
  /** Tell peers that ask which validator this node is. */
  readonly proveValidator: boolean;
  readonly handshakeTimeoutMs: number;
  readonly dialTimeoutMs: number;
}

const peerRule = {
  allowed:
    'a comma-separated list of peers such as "/ip4/127.0.0.1/tcp/26656/p2p/12D3Koo…" or "12D3Koo…@host:26656"',
  accepts: (value: string): boolean => orUndefined(() => parsePeerAddress(value)) !== undefined,
};
const idRule = {
  allowed: 'a comma-separated list of peer ids such as "12D3Koo…"',
  accepts: (value: string): boolean => /^[1-9A-HJ-NP-Za-km-z]{40,70}$/.test(value),
};
const externalRule = {
  allowed: 'empty or an address such as "tcp://203.0.113.7:26656"',
  accepts: (value: string): boolean =>
    value === '' || (orUndefined(() => parseListenAddress(value))?.port ?? 0) > 0,
};

/** The table of the section. */
export const p2pFields: Fields<P2pConfig> = {
  laddr: text(
    { key: 'laddr', comment: 'Where peers connect; port 0: any free one.', fallback: 'tcp://0.0.0.0:26656' },
    listenRule,
  ),
  externalAddress: text(
    {
      key: 'external_address',
      comment: 'Where other nodes reach this one, when that is not laddr: "tcp://203.0.113.7:26656".',
      fallback: '',
    },
    externalRule,
  ),
  seeds: list(
    {
      key: 'seeds',
      comment:
        'Nodes to ask for addresses, in the form of persistent_peers. They are left once they answered.',
      fallback: [],
    },
    peerRule,
  ),
  persistentPeers: list(
    {
      key: 'persistent_peers',
      comment:
        'Peers to stay connected to: "/ip4/…/tcp/26656/p2p/12D3Koo…" or "12D3Koo…@host:26656", comma-separated.',
      fallback: [],
    },
    peerRule,
  ),
  maxNumInboundPeers: whole(
    { key: 'max_num_inbound_peers', comment: 'Peers that connect to us.', fallback: 40 },
    { min: 0, max: 10_000 },
  ),
  maxNumOutboundPeers: whole(
    { key: 'max_num_outbound_peers', comment: 'Peers that we connect to.', fallback: 20 },
    { min: 0, max: 10_000 },
  ),
  unconditionalPeerIds: list(
    { key: 'unconditional_peer_ids', comment: 'Peer ids that no limit counts.', fallback: [] },
    idRule,
  ),
  privatePeerIds: list(
    { key: 'private_peer_ids', comment: 'Peer ids that other nodes are never told of.', fallback: [] },
    idRule,
  ),
  pex: flag({
    key: 'pex',
    comment: 'Find peers by asking peers, and answer those who ask.',
    fallback: true,
  }),
  seedMode: flag({
    key: 'seed_mode',
    comment: 'Be a seed: go round the network, tell addresses, keep no peers but persistent ones.',
    fallback: false,
  }),
  addrBookFile: text(
    { key: 'addr_book_file', comment: 'Known addresses.', fallback: 'config/addrbook.json' },
    fileRule,
  ),
  addrBookStrict: flag({
    key: 'addr_book_strict',
    comment: 'Refuse private, loopback and reserved addresses; false for a network on one machine or site.',
    fallback: true,
  }),
  allowDuplicateIp: flag({
    key: 'allow_duplicate_ip',
    comment: 'Several peers from one host. Loopback is never limited.',
    fallback: false,
  }),
  persistentPeersMaxDialPeriodMs: duration({
    key: 'persistent_peers_max_dial_period',
    comment: 'Longest wait between two dials of a persistent peer; "0s": ten seconds.',
    fallback: 0,
  }),
  sendRate: whole(
    { key: 'send_rate', comment: 'Bytes a second to each peer.', fallback: 33_554_432 },
    { min: 10_000, max: 10_000_000_000 },
  ),
  recvRate: whole(
    { key: 'recv_rate', comment: 'Bytes a second from each peer.', fallback: 33_554_432 },
    { min: 10_000, max: 10_000_000_000 },
  ),
  answerRate: whole(
    {
      key: 'answer_rate',
      comment: 'Bytes a second of blocks, snapshots and addresses to each peer that asks for them.',
      fallback: 33_554_432,
    },
    { min: 1_000_000, max: 10_000_000_000 },
  ),
  proveValidator: flag({
    key: 'prove_validator',
    comment:
      'Prove the validator key to peers that ask: they prefer validators. False hides which node it is.',
    fallback: true,
  }),
  handshakeTimeoutMs: duration({
    key: 'handshake_timeout',
    comment: 'A connection without a finished handshake is closed after this.',
    fallback: 5_000,
  }),
  dialTimeoutMs: duration({ key: 'dial_timeout', comment: 'How long a dial may take.', fallback: 5_000 }),
};
