/** What validators do that they should not: they stay away, and they sign twice. */
import { latin1 } from '../../framework/address.ts';
import type { Timestamp } from '../../framework/context.ts';
import { type Misbehavior, MisbehaviorType, type VoteInfo } from '../../proto/gen/tendermint/abci/types.ts';
import { BlockIDFlag } from '../../proto/gen/tendermint/types/validator.ts';
import type { Random } from './random.ts';
import type { Signer } from './validators.ts';

/** Who signed a past block. */
interface Signed {
  readonly height: bigint;
  readonly time: Timestamp;
  readonly set: readonly Signer[];
}

const REMEMBERED_BLOCKS = 40;

/** Behaviour of the validators of one chain; the first one of genesis always behaves. */
export class Offences {
  readonly #honest: string;
  readonly #away = new Map<string, number>();
  readonly #past: Signed[] = [];

  /** @param honest address of the consensus key of whoever always behaves */
  constructor(honest: Uint8Array) {
    this.#honest = latin1(honest);
  }

  /** The votes for the last block. Who is away stays so for some blocks. */
  votes(random: Random, set: readonly Signer[]): readonly VoteInfo[] {
    return set.map(({ address, power }) => {
      const flag = this.#isAway(random, latin1(address))
        ? BlockIDFlag.BLOCK_ID_FLAG_ABSENT
        : random.oneIn(30)
          ? BlockIDFlag.BLOCK_ID_FLAG_NIL
          : BlockIDFlag.BLOCK_ID_FLAG_COMMIT;
      return { validator: { address, power }, blockIdFlag: flag };
    });
  }

  #isAway(random: Random, key: string): boolean {
    if (key === this.#honest) return false;
    const left = this.#away.get(key) ?? 0;
    if (left > 0) this.#away.set(key, left - 1);
    else if (random.oneIn(70)) this.#away.set(key, random.between(1, 14));
    return left > 0;
  }

  /** A block was decided by these. */
  decided(signed: Signed): void {
    this.#past.push(signed);
    if (this.#past.length > REMEMBERED_BLOCKS) this.#past.shift();
  }

  /** What a block reports: seldom anything, of any age that is remembered. */
  misbehavior(random: Random): readonly Misbehavior[] {
    if (!random.oneIn(70)) return [];
    const past = random.some(random.oneIn(3) ? this.#past : this.#past.slice(-6));
    const guilty = past?.set.filter(({ address }) => latin1(address) !== this.#honest) ?? [];
    const validator = random.some(guilty);
    if (past === undefined || validator === undefined) return [];
    const { height, time, set } = past;
    const type = random.oneIn(4) ? MisbehaviorType.LIGHT_CLIENT_ATTACK : MisbehaviorType.DUPLICATE_VOTE;
    const totalVotingPower = set.reduce((sum, { power }) => sum + power, 0n);
    const one = { type, validator, height, time, totalVotingPower };
    return random.oneIn(5) ? [one, one] : [one];
  }
}
