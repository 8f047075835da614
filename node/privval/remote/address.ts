import { DecodeError } from '../../../core/errors.ts';

/** Where a node waits for its signer. */
export type SignerAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      /** What the signer insists on: the node's CometBFT id, 40 lower-case hexadecimal characters. */
      readonly nodeId: string | undefined;
    };

const TCP = /^(?:tcp:\/\/)?(?:([0-9a-fA-F]{40})@)?(\[[0-9a-fA-F:.]+\]|[^:/@[\]]*):(\d{1,5})$/;
const UNIX_PREFIX = 'unix://';
const PORT_MAX = 65_535;

/**
 * Reads `tcp://host:port`, `tcp://<node id>@host:port` or `unix:///path`.
 * @throws DecodeError on anything else
 */
export function parseSignerAddress(text: string): SignerAddress {
  if (text.startsWith(UNIX_PREFIX) && text.length > UNIX_PREFIX.length) {
    return { kind: 'unix', path: text.slice(UNIX_PREFIX.length) };
  }
  const match = TCP.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > PORT_MAX) {
    throw new DecodeError(
      `"${text}" is not an address such as "tcp://127.0.0.1:26659" or "unix:///run/openledgerd/signer.sock"`,
    );
  }
  const host = (match[2] ?? '').replace(/^\[|\]$/g, '');
  return { kind: 'tcp', host: host === '' ? '0.0.0.0' : host, port, nodeId: match[1]?.toLowerCase() };
}

/** The address as text, without the node id. */
export function formatSignerAddress(address: SignerAddress): string {
  if (address.kind === 'unix') return `${UNIX_PREFIX}${address.path}`;
  return `tcp://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}
