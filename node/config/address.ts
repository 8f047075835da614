/**
 * Addresses in the configuration: CometBFT's `tcp://host:port`, and peers as multiaddr or `<peer
 * id>@host:port`.
 */
import { DecodeError } from '../../core/errors.ts';

const PORT_MAX = 65_535;
const LISTEN = /^(?:tcp:\/\/)?(\[[0-9a-fA-F:.]+\]|[^:/[\]]*):(\d{1,5})$/;
const MULTIADDR_PEER = /^\/(ip4|ip6|dns|dns4|dns6)\/[^/]+\/tcp\/\d{1,5}\/p2p\/[1-9A-HJ-NP-Za-km-z]{40,70}$/;
const COMET_PEER = /^([1-9A-HJ-NP-Za-km-z]{40,70})@(.+)$/;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/**
 * Reads `tcp://127.0.0.1:26657`, `127.0.0.1:26657` or `:26657` (all interfaces).
 * @throws DecodeError on anything else
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = LISTEN.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > PORT_MAX) {
    throw new DecodeError(`"${text}" is not an address such as "tcp://127.0.0.1:26657"`);
  }
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '');
  return { host: host === '' ? '0.0.0.0' : host, port };
}

/** The listen address in the file's form. */
export function formatListenAddress(address: ListenAddress): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `tcp://${host}:${address.port}`;
}

/** The multiaddr of a host and a TCP port: `/ip4/127.0.0.1/tcp/26656`. */
export function toMultiaddr(address: ListenAddress): string {
  const kind = IPV4.test(address.host) ? 'ip4' : address.host.includes(':') ? 'ip6' : 'dns';
  return `/${kind}/${address.host}/tcp/${address.port}`;
}

/**
 * The multiaddr of a peer, from one or from `12D3Koo…@host:port`.
 * @throws DecodeError on anything else
 */
export function parsePeerAddress(text: string): string {
  if (MULTIADDR_PEER.test(text)) return text;
  const match = COMET_PEER.exec(text);
  if (match === null) {
    throw new DecodeError(
      `"${text}" is not a peer address such as "/ip4/127.0.0.1/tcp/26656/p2p/12D3Koo…" or "12D3Koo…@host:26656"`,
    );
  }
  return `${toMultiaddr(parseListenAddress(match[2] ?? ''))}/p2p/${match[1] ?? ''}`;
}
