/** An application whose validators change: the same changes on every node, a function of seed and height. */
import type { Application } from '../../node/application.ts';
import type { ValidatorUpdate } from '../../proto/gen/tendermint/abci/types.ts';
import { SeededRandom } from '../../consensus/simulation/random.ts';
import type { SignatureScheme } from './keys.ts';

/** Whose power changes. */
export interface ChangingValidators {
  readonly seed: number;
  /** Secrets of honest validators whose power goes up and down. */
  readonly changing: readonly Uint8Array[];
  /** Secrets of honest nodes that become validators and cease to be. */
  readonly joining: readonly Uint8Array[];
  readonly scheme: SignatureScheme;
  /** The power of everybody at genesis, and the least of those that change. */
  readonly power: bigint;
}

/** The application with changes of the validator set put into its answers. */
export function withValidatorChanges(application: Application, options: ChangingValidators): Application {
  return {
    ...application,
    finalizeBlock: async (request, control) => {
      const response = await application.finalizeBlock(request, control);
      return { ...response, validatorUpdates: updatesAt(request.height, options) };
    },
  };
}

function updatesAt(height: bigint, options: ChangingValidators): readonly ValidatorUpdate[] {
  const { seed, changing, joining, power } = options;
  const random = new SeededRandom(seed * 1_000 + Number(height));
  if (random.percent(40)) return [];
  const secret = random.pick(random.percent(50) ? changing : joining);
  if (secret === undefined) return [];
  const isJoining = joining.includes(secret);
  const isOut = isJoining && isMember(options, secret, height);
  return [
    {
      pubKey: { ed25519: options.scheme.makeSigner(secret, 'ed25519').publicKey, secp256k1: undefined },
      power: isOut ? 0n : power + BigInt(random.below(5)),
    },
  ];
}

/** Whether the changes before a height have made it a validator. */
function isMember(options: ChangingValidators, secret: Uint8Array, height: bigint): boolean {
  let member = false;
  for (let before = 1n; before < height; before++) {
    const random = new SeededRandom(options.seed * 1_000 + Number(before));
    if (random.percent(40)) continue;
    if (random.pick(random.percent(50) ? options.changing : options.joining) === secret) member = !member;
  }
  return member;
}
