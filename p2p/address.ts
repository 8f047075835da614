/**
 * Addresses of nodes as they travel: `/ip4/<host>/tcp/<port>/p2p/<peer id>`. Names are resolved only where an
 * operator wrote them; what a peer tells is a number, so that its network is known before anything is
 * dialled.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { peerIdFromString } from '@libp2p/peer-id';
import { ADDRESS_CHARACTERS_MAX } from './exchange-limits.ts';

const PORT_MAX = 65_535;
const FORM = /^\/(ip4|ip6)\/([0-9a-fA-F.:]{2,45})\/tcp\/([1-9]\d{0,4})\/p2p\/([1-9A-HJ-NP-Za-km-z]{40,70})$/;
const TRANSPORT = /^\/(ip4|ip6)\/([0-9a-fA-F.:]{2,45})\/tcp\/([1-9]\d{0,4})(?:\/|$)/;

/** A well-formed address of a node. */
export interface PeerAddress {
  /** Its one spelling. */
  readonly text: string;
  readonly peerId: string;
  readonly host: string;
  readonly port: number;
  /** The network that the host is in: the first 16 bits of an IPv4 address, 32 of an IPv6 one. */
  readonly group: string;
  /** False for hosts that mean something else, or nothing, on another machine. */
  readonly routable: boolean;
}

/** An address in one spelling; undefined when the text is not one. */
export function parseAddress(text: string): PeerAddress | undefined {
  if (text.length > ADDRESS_CHARACTERS_MAX) return undefined;
  const [, , host, port, peerId] = FORM.exec(text) ?? [];
  if (host === undefined || port === undefined || peerId === undefined) return undefined;
  return makeAddress({ host, port: Number(port), peerId });
}

/** An address of its parts; undefined when they do not make one. */
export function makeAddress(parts: {
  readonly host: string;
  readonly port: number;
  readonly peerId: string;
}): PeerAddress | undefined {
  const { port, peerId } = parts;
  const host = canonicalHost(parts.host);
  if (host === undefined || port < 1 || port > PORT_MAX || !isNodeId(peerId)) return undefined;
  const family = isIPv4(host) ? 'ip4' : 'ip6';
  const text = `/${family}/${host}/tcp/${port}/p2p/${peerId}`;
  return {
    text,
    peerId,
    host,
    port,
    group: groupOf(host),
    routable: !unroutable[kindOf(host)].check(host, kindOf(host)),
  };
}

/** Host and port at the beginning of a multiaddr; undefined when it begins otherwise. */
export function hostAndPort(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, , host, port] = TRANSPORT.exec(text.slice(0, ADDRESS_CHARACTERS_MAX)) ?? [];
  const canonical = host === undefined ? undefined : canonicalHost(host);
  return canonical === undefined ? undefined : { host: canonical, port: Number(port) };
}

/** The host of a multiaddr of any kind, or the text itself: what the limits per host count by. */
export function hostOf(multiaddr: string): string {
  return hostAndPort(multiaddr)?.host ?? multiaddr.split('/')[2] ?? multiaddr;
}

/** The network that a host is in. */
export function groupOf(host: string): string {
  if (isIPv4(host)) return host.split('.').slice(0, 2).join('.');
  return fullGroups(host).slice(0, 2).join(':');
}

function canonicalHost(host: string): string | undefined {
  if (isIPv4(host)) return host;
  if (!isIPv6(host)) return undefined;
  return new URL(`http://[${host}]`).hostname.slice(1, -1);
}

/** The eight groups of a canonical IPv6 address. */
function fullGroups(host: string): readonly string[] {
  const [left = '', right] = host.split('::');
  const before = left === '' ? [] : left.split(':');
  const after = right === undefined || right === '' ? [] : right.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...zeros, ...after];
}

/** Nodes have ed25519 keys; a peer id of another kind is nobody. */
function isNodeId(peerId: string): boolean {
  try {
    const id = peerIdFromString(peerId);
    return id.type === 'Ed25519' && id.toString() === peerId;
  } catch {
    return false;
  }
}

function kindOf(host: string): 'ipv4' | 'ipv6' {
  return isIPv4(host) ? 'ipv4' : 'ipv6';
}

/** IANA's special-purpose registries: what is not reachable from everywhere. */
const UNROUTABLE: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
];
/** One list for each family: in a common one an IPv4 address is under the rules of mapped IPv6 ones too. */
const unroutable = { ipv4: new BlockList(), ipv6: new BlockList() };
for (const [network, bits] of UNROUTABLE)
  unroutable[kindOf(network)].addSubnet(network, bits, kindOf(network));
