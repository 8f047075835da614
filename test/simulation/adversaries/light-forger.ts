/**
 * Holders of more than a third of the power who follow consensus, and forge blocks for light clients besides,
 * signed by them alone: over a state that never was (lunatic); or, when they hold more than two thirds, over
 * the true one, in the round that decided (equivocation) or in a later one (amnesia). Whoever is shown one
 * hands the evidence to a full node, as a light client does, which has to take it, and to tell it from
 * evidence that accuses others.
 */
import { decodeBlock } from '../../../consensus/types/block.ts';
import { type Evidence, evidenceHash } from '../../../consensus/types/evidence.ts';
import type { LightBlock } from '../../../consensus/types/light-block.ts';
import {
  byzantineValidators,
  type LightClientAttackEvidence,
} from '../../../consensus/types/light-client-attack.ts';
import { newValidatorSet } from '../../../consensus/proposer.ts';
import type { PublicKey, ValidatorSet } from '../../../consensus/types/validator.ts';
import { validatorsHash } from '../../../consensus/types/validator-set.ts';
import type { Header } from '../../../consensus/types/header.ts';
import { ABSENT_COMMIT_SIG } from '../../../consensus/types/commit.ts';
import { isTwoThirds } from '../../../consensus/types/validator-set.ts';
import { EMPTY_BYTES, equalBytes, toHex, utf8 } from '../../../core/bytes.ts';
import { LedgerError, messageOf } from '../../../core/errors.ts';
import { sha256 } from '../../../core/hash.ts';
import { testCommit } from '../../../light/testing/chain.ts';
import type { SignatureScheme } from '../keys.ts';
import type { SimMachine } from '../machine.ts';
import type { Simulation } from '../simulation.ts';

/** Who forges. */
export interface ForgerOptions {
  readonly scheme: SignatureScheme;
  readonly keySeeds: readonly Uint8Array[];
  readonly everyMs: number;
}

/** How a light client is attacked. */
export type AttackKind = 'lunatic' | 'equivocation' | 'amnesia';

/** Evidence that a node took. */
interface Taken {
  readonly machine: SimMachine;
  /** What a node has in memory only goes with the process. */
  readonly starts: number;
  readonly hash: string;
  readonly kind: AttackKind;
}

/** Heights that a forged block may lie behind the last one. */
const BEHIND_MAX = 4;
const POWER = 10n;
const SIGNED_TRUE = ['equivocation', 'amnesia'] as const;
/** What keeps a node from judging now; nobody is wrong. */
const FOR_NOW: readonly string[] = ['evidence.unknown_height', 'evidence.expired'];

/** See the file comment. */
export class LightForger {
  readonly #simulation: Simulation;
  readonly #options: ForgerOptions;
  readonly #taken: Taken[] = [];
  readonly #signers: readonly ReturnType<SignatureScheme['makeSigner']>[];
  readonly #punished = new Set<AttackKind>();

  constructor(simulation: Simulation, options: ForgerOptions) {
    this.#simulation = simulation;
    this.#options = options;
    this.#signers = options.keySeeds.map((seed) => options.scheme.makeSigner(seed, 'ed25519'));
  }

  /** The kinds of which evidence that a node took is in a block; known when it has ended. */
  get punished(): readonly AttackKind[] {
    return [...this.#punished];
  }

  start(): void {
    const { scheduler } = this.#simulation;
    const forge = (): void => {
      this.#forge();
      scheduler.after(this.#options.everyMs, forge);
    };
    scheduler.after(this.#options.everyMs, forge);
  }

  /** What was taken is in a block, or waits for one where it was taken. */
  ended(): void {
    const inBlocks = new Set(
      [...this.#simulation.chain.values()].flatMap(({ block }) =>
        block.evidence.map((piece) => toHex(evidenceHash(piece))),
      ),
    );
    for (const { machine, starts, hash, kind } of this.#taken) {
      if (inBlocks.has(hash)) this.#punished.add(kind);
      const waits = (): boolean =>
        machine.pendingEvidence().some((piece) => toHex(evidenceHash(piece)) === hash);
      if (inBlocks.has(hash) || machine.starts !== starts || machine.core === undefined || waits()) continue;
      if (isBeingCommitted(machine, hash)) continue;
      this.#simulation.fail(
        'attacks are punished',
        `${machine.name} took evidence ${hash.slice(0, 8)} and lost it`,
      );
    }
  }

  #forge(): void {
    const { random } = this.#simulation.scheduler;
    const up = this.#simulation.machines.filter(({ state, isHonest }) => state === 'up' && isHonest);
    const machine = random.pick(up);
    if (machine?.core === undefined || machine.height < 3n) return;
    const kind = this.#isMajority() ? random.pick(SIGNED_TRUE) : undefined;
    if (kind !== undefined && random.percent(70)) {
      const made = this.#signedTwice(machine, kind);
      if (made !== undefined) this.#hand(machine, kind, made);
      return;
    }
    const ahead = random.percent(20) ? 2n : 0n;
    const height = machine.height - BigInt(random.below(BEHIND_MAX)) + ahead;
    const common = height - 1n - ahead - BigInt(random.below(2));
    if (common < 1n) return;
    const evidence = this.#evidence(machine, { height, common });
    if (evidence === undefined) return;
    this.#hand(machine, 'lunatic', evidence);
  }

  #evidence(
    machine: SimMachine,
    at: { readonly height: bigint; readonly common: bigint },
  ): LightClientAttackEvidence | undefined {
    const stores = machine.core?.stores;
    const last = machine.height;
    const trusted = stores?.blocks.meta(at.height < last ? at.height : last)?.header;
    const commonHeader = stores?.blocks.meta(at.common)?.header;
    const commonSet = stores?.state.validators(at.common);
    if (trusted === undefined || commonHeader === undefined || commonSet === undefined) return undefined;
    const conflictingBlock = this.#block({ ...trusted, height: at.height, appHash: sha256(EMPTY_BYTES) });
    const ours = { header: trusted, commit: conflictingBlock.commit };
    return {
      kind: 'lightClientAttack',
      conflictingBlock,
      commonHeight: at.common,
      byzantineValidators: byzantineValidators(conflictingBlock, { trusted: ours, common: commonSet }),
      totalVotingPower: commonSet.totalVotingPower,
      timestamp: commonHeader.time,
    };
  }

  /** Whether they can sign what decides: unless some have been caught. */
  #isMajority(): boolean {
    return this.#options.keySeeds.length * 3 > this.#simulation.machines.length * 2;
  }

  /** Another block of a decided height over the same state, in the round that decided or in the next one. */
  #signedTwice(machine: SimMachine, kind: 'equivocation' | 'amnesia'): LightClientAttackEvidence | undefined {
    const { random } = this.#simulation.scheduler;
    const height = machine.height - 1n - BigInt(random.below(BEHIND_MAX));
    const { blocks, state } = machine.core?.stores ?? {};
    const trusted = blocks?.meta(height)?.header;
    const commit = blocks?.commit(height);
    const validators = state?.validators(height);
    if (trusted === undefined || commit === undefined || validators === undefined) return undefined;
    const header = { ...trusted, dataHash: sha256(utf8(kind)) };
    const round = kind === 'equivocation' ? commit.round : commit.round + 1;
    const conflictingBlock = this.#signed(header, validators, round);
    if (conflictingBlock === undefined) return undefined;
    const ours = { header: trusted, commit };
    return {
      kind: 'lightClientAttack',
      conflictingBlock,
      commonHeight: height,
      byzantineValidators: byzantineValidators(conflictingBlock, { trusted: ours, common: validators }),
      totalVotingPower: validators.totalVotingPower,
      timestamp: trusted.time,
    };
  }

  /** With the signatures of the forgers among these validators; undefined when they are too few. */
  #signed(header: Header, validators: ValidatorSet, round: number): LightBlock | undefined {
    const commit = testCommit({ header, validators, round, sign: this.#sign });
    const signatures = commit.signatures.map((entry) =>
      entry.signature.length === 0 ? ABSENT_COMMIT_SIG : entry,
    );
    const power = validators.validators.reduce(
      (sum, { votingPower }, i) => (signatures[i]?.blockIdFlag === 'commit' ? sum + votingPower : sum),
      0n,
    );
    return isTwoThirds(validators, power)
      ? { header, validators, commit: { ...commit, signatures } }
      : undefined;
  }

  /** By whoever of the forgers has that key; nothing by others. */
  readonly #sign = ({ bytes }: PublicKey, message: Uint8Array): Uint8Array => {
    const signer = this.#signers.find(({ publicKey }) => equalBytes(publicKey, bytes));
    return signer?.sign(message) ?? EMPTY_BYTES;
  };

  /** A block with the forgers as its validators, signed by all of them. */
  #block(header: LightBlock['header']): LightBlock {
    const validators = newValidatorSet(
      this.#signers.map(({ publicKey: bytes }) => ({
        publicKey: { type: 'ed25519', bytes },
        votingPower: POWER,
      })),
    );
    const hash = validatorsHash(validators);
    const forged = { ...header, validatorsHash: hash, nextValidatorsHash: hash };
    return {
      header: forged,
      validators,
      commit: testCommit({ header: forged, validators, sign: this.#sign }),
    };
  }

  /** A true one; now and then one that accuses somebody else, or whose signatures are wrong. */
  #hand(machine: SimMachine, kind: AttackKind, evidence: LightClientAttackEvidence): void {
    const { random } = this.#simulation.scheduler;
    if (random.percent(70)) {
      if (this.#add(machine, evidence) !== 'added') return;
      this.#taken.push({ machine, starts: machine.starts, hash: toHex(evidenceHash(evidence)), kind });
      return;
    }
    const lie = random.pick(this.#lies(machine, evidence));
    if (lie !== undefined && this.#add(machine, lie) === 'added')
      this.#simulation.fail('attacks are punished', `${machine.name} believes evidence that is not true`);
  }

  #lies(machine: SimMachine, evidence: LightClientAttackEvidence): readonly LightClientAttackEvidence[] {
    const { conflictingBlock: block, byzantineValidators: guilty, totalVotingPower, commonHeight } = evidence;
    const all = machine.validatorsAt(commonHeight)?.validators ?? [];
    const signatures = block.commit.signatures.map((entry) => ({ ...entry, signature: new Uint8Array(64) }));
    return [
      { ...evidence, byzantineValidators: all },
      { ...evidence, byzantineValidators: guilty.length === 0 ? all.slice(1) : guilty.slice(1) },
      { ...evidence, totalVotingPower: totalVotingPower + 1n },
      { ...evidence, conflictingBlock: { ...block, commit: { ...block.commit, signatures } } },
    ];
  }

  #add(machine: SimMachine, evidence: Evidence): string {
    try {
      return machine.core?.evidence.add(evidence) ?? 'gone';
    } catch (error) {
      const isRefused = error instanceof LedgerError;
      if (!isRefused)
        this.#simulation.fail('attacks are punished', `${machine.name} throws ${messageOf(error)}`);
      return isRefused && FOR_NOW.includes(error.code) ? 'later' : 'refused';
    }
  }
}

/** Whether evidence is in the block that a node has decided and not executed yet. */
function isBeingCommitted(machine: SimMachine, hash: string): boolean {
  const blocks = machine.core?.stores.blocks;
  const decided = blocks?.blockBytes(blocks.range().height);
  if (decided === undefined) return false;
  return decodeBlock(decided).evidence.some((piece) => toHex(evidenceHash(piece)) === hash);
}
