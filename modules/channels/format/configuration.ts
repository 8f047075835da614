/**
 * The id of a channel: SHA-256 of
 *
 * | bytes        | what                                                                   |
 * | ------------ | ---------------------------------------------------------------------- |
 * | 28           | `openledger/channels/channel` and a zero                               |
 * | 1 + n        | chain id                                                               |
 * | 1 + n        | payer's address                                                        |
 * | 1 + 1 + n    | payer's authorizer: kind (1 ed25519, 2 secp256k1), key                 |
 * | 1 + 1 + n    | kind of receiver (1 account, 2 router), address of it or its gateway   |
 * | 1 + 1 + n    | receiver's authorizer                                                  |
 * | 1 + n        | denomination                                                           |
 * | 4            | withdrawal delay                                                       |
 * | 8            | open before                                                            |
 * | 32           | salt                                                                   |
 *
 * `1 + n` is a length and so many bytes.
 */
import { fromBech32 } from '../../../core/bech32.ts';
import { concatBytes } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import type { ChannelConfig, SigningKey } from '../../../proto/gen/openledger/channels/v1/channels.ts';
import { domain, fixed, ID_BYTES, number, sized, text } from './encoding.ts';

const DOMAIN = domain('channel');

/**
 * A channel's id on a chain. The payer knows it before the channel is there.
 * @throws LedgerError when an address is not bech32, AssertionError when another part has no canonical form
 */
export function channelId(chainId: string, config: ChannelConfig): Uint8Array {
  return sha256(
    concatBytes(
      DOMAIN,
      text(chainId),
      address(config.payer),
      key(config.payerAuthorizer),
      number(BigInt(config.receiverKind), 1),
      address(config.receiver),
      key(config.receiverAuthorizer),
      text(config.denom),
      number(BigInt(config.withdrawDelay), 4),
      number(config.openBefore, 8),
      fixed(config.salt, ID_BYTES),
    ),
  );
}

function address(bech32: string): Uint8Array {
  return sized(fromBech32(bech32).bytes);
}

function key({ kind, key: bytes }: SigningKey): Uint8Array {
  return concatBytes(number(BigInt(kind), 1), sized(bytes));
}
