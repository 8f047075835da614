/** The handshake: what two nodes tell each other first, and when they part. */
import { equalBytes, toHex } from '../core/bytes.ts';
import { DecodeError, LedgerError } from '../core/errors.ts';
import { Status } from '../proto/gen/openledger/p2p/v1/p2p.ts';
import { PROTOCOL_VERSION, STATUS_BYTES_MAX } from './channels.ts';
import type { NetworkOptions } from './network.ts';

const TEXT_CHARACTERS_MAX = 64;
const ADDRESS_CHARACTERS_MAX = 256;
const HASH_BYTES = 32;

/** What of the options the handshake speaks about. */
export type StatusOptions = Pick<
  NetworkOptions,
  'chainId' | 'moniker' | 'softwareVersion' | 'genesisHash' | 'latestHeight'
>;

/** This node's handshake message. */
export function encodeStatus(options: StatusOptions, listenAddress: string): Uint8Array {
  return Status.encode({
    chainId: options.chainId,
    moniker: options.moniker.slice(0, TEXT_CHARACTERS_MAX),
    protocolVersion: PROTOCOL_VERSION,
    softwareVersion: options.softwareVersion.slice(0, TEXT_CHARACTERS_MAX),
    listenAddress: listenAddress.slice(0, ADDRESS_CHARACTERS_MAX),
    latestHeight: options.latestHeight(),
    genesisHash: options.genesisHash,
  });
}

/**
 * A peer's handshake message, if this node can work with the peer.
 * @throws DecodeError on a malformed one
 * @throws LedgerError `p2p.other_chain`, `p2p.other_genesis` or `p2p.other_version`, with a sentence for the
 * log
 */
export function checkStatus(options: StatusOptions, bytes: Uint8Array): Status {
  if (bytes.length > STATUS_BYTES_MAX)
    throw new DecodeError('status is over the limit', { length: bytes.length });
  const status = Status.decode(bytes);
  requireText('moniker', status.moniker, TEXT_CHARACTERS_MAX);
  requireText('software version', status.softwareVersion, TEXT_CHARACTERS_MAX);
  requireText('listen address', status.listenAddress, ADDRESS_CHARACTERS_MAX);
  requireText('chain id', status.chainId, TEXT_CHARACTERS_MAX);
  if (status.latestHeight < 0n) throw new DecodeError('status has a negative height');
  if (status.genesisHash.length !== 0 && status.genesisHash.length !== HASH_BYTES)
    throw new DecodeError('status has a genesis hash of a wrong length', {
      length: status.genesisHash.length,
    });
  refuseOther(options, status);
  return status;
}

function refuseOther(options: StatusOptions, status: Status): void {
  if (status.chainId !== options.chainId) {
    const facts = { theirs: status.chainId, ours: options.chainId };
    const message = `peer is on chain ${facts.theirs}, this node on ${facts.ours}: check the peer address`;
    throw new LedgerError('p2p.other_chain', message, facts);
  }
  if (status.protocolVersion !== PROTOCOL_VERSION) {
    const versions = `${status.protocolVersion}, this node ${PROTOCOL_VERSION}`;
    const message = `peer speaks protocol version ${versions}: upgrade the older one`;
    throw new LedgerError('p2p.other_version', message);
  }
  const comparable = status.genesisHash.length > 0 && options.genesisHash.length > 0;
  if (comparable && !equalBytes(status.genesisHash, options.genesisHash)) {
    const facts = { theirs: toHex(status.genesisHash), ours: toHex(options.genesisHash) };
    const message = `peer has another genesis for chain ${options.chainId}: copy the network's genesis file`;
    throw new LedgerError('p2p.other_genesis', message, facts);
  }
}

/** Text of a peer goes to logs and RPC: printable ASCII only. */
function requireText(what: string, text: string, charactersMax: number): void {
  if (text.length > charactersMax) throw new DecodeError(`status has a ${what} over the limit`);
  if (!/^[\x20-\x7e]*$/.test(text)) throw new DecodeError(`status has a ${what} with unprintable characters`);
}
