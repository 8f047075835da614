/** Who signs: accounts of one key, and accounts of several. */
import { sha256 } from '../../core/hash.ts';
import { type Address, AddressCodec } from '../../framework/address.ts';
import { multisigPublicKey, type PublicKey } from '../../framework/tx/public-key.ts';
import { type TestAccount, testAccount } from '../support/test-chain.ts';

/** Prefix of the addresses of every simulated chain. */
export const PREFIX = 'open';

/** Someone with one key or several. */
export interface Actor {
  readonly name: string;
  readonly address: string;
  readonly bytes: Address;
  /** Address of the validator that this account operates, or would. */
  readonly operator: string;
  readonly pubKey: PublicKey;
  /** The keys that sign, by their positions: one at position 0 for an account of one key. */
  readonly keys: readonly TestAccount[];
  /** How many of them must sign; 0 for an account of one key. */
  readonly threshold: number;
}

const codec = new AddressCodec(PREFIX);
const operators = new AddressCodec(`${PREFIX}valoper`);

/** An account of one key, made of its name. */
export function singleActor(name: string): Actor {
  const key = testAccount(name, PREFIX);
  return actorOf(name, key.pubKey, { keys: [key], threshold: 0 });
}

/** An account of so many keys. */
export function multisigActor(name: string, threshold: number, count: number): Actor {
  const keys = Array.from({ length: count }, (_, i) => testAccount(`${name} key ${i}`, PREFIX));
  const pubKey = multisigPublicKey(
    threshold,
    keys.map((key) => key.pubKey),
  );
  return actorOf(name, pubKey, { keys, threshold });
}

function actorOf(name: string, pubKey: PublicKey, keys: Pick<Actor, 'keys' | 'threshold'>): Actor {
  const bytes = pubKey.address;
  return { name, pubKey, bytes, address: codec.toText(bytes), operator: operators.toText(bytes), ...keys };
}

/** The address of a consensus key. */
export function keyAddress(key: Uint8Array): Uint8Array {
  return sha256(key).slice(0, 20);
}
