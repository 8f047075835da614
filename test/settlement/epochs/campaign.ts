/**
 * The campaign: every lie about an epoch is convicted by one message or refused at once, no message convicts
 * an honest epoch, whatever rule it names, wherever it points and however its bytes were changed.
 */
import { DecodeError } from '../../../core/errors.ts';
import { findEpochFraud, findSignedFraud } from '../../../gateway/epochs/find-fraud.ts';
import { openEpochFraud } from '../../../gateway/epochs/open-fraud.ts';
import type { PublishedEpoch } from '../../../gateway/epochs/published.ts';
import { checkEpoch } from '../../../modules/settlement/proof/epoch.ts';
import { verifyEpochFraud } from '../../../modules/settlement/proof/fraud.ts';
import { encodeReceipt } from '../../../modules/settlement/proof/leaves.ts';
import { EpochFraud, EpochRule, EpochTree } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { Dice } from './dice.ts';
import { LIES } from './lies.ts';
import { makeWorld, SIGNATURE, type World } from './world.ts';

/** What happened to the lies of one kind. */
export interface Tally {
  readonly name: string;
  told: number;
  convicted: number;
  /** Refused at once, without a message: the epoch does not add up. */
  refused: number;
  bytes: number;
  verifyUs: number;
  readonly rules: Set<string>;
}

export interface CampaignResult {
  readonly tallies: readonly Tally[];
  readonly missed: readonly string[];
  readonly epochs: number;
  /** Messages against honest epochs: with true openings, and with changed bytes. */
  readonly accused: number;
  readonly mutated: number;
  readonly honestConvicted: readonly string[];
}

export interface CampaignOptions {
  /** Honest epochs. */
  readonly epochs: number;
  /** Lies told about each. */
  readonly lies: number;
  /** Changed proofs against each. */
  readonly mutations: number;
  readonly dice: Dice;
  /** Milliseconds; given by the program so that its clock is its own. */
  readonly now: () => number;
}

export function runCampaign({ epochs, lies, mutations, dice, now }: CampaignOptions): CampaignResult {
  const kinds = [...LIES.map(({ name }) => name), 'signed otherwise'];
  const tallies = kinds.map((name): Tally => {
    return { name, told: 0, convicted: 0, refused: 0, bytes: 0, verifyUs: 0, rules: new Set() };
  });
  const missed: string[] = [];
  const honestConvicted: string[] = [];
  let [accused, mutated] = [0, 0];
  for (let i = 0; i < epochs; i++) {
    const world = makeWorld(dice);
    const found = judgeHonest(world, dice);
    accused += found.tried;
    honestConvicted.push(...found.convicted);
    for (let lie = 0; lie < lies; lie++) {
      const tally = tallies[(i * lies + lie) % tallies.length];
      if (tally === undefined) continue;
      if (!tellOne(world, tally, { dice, now })) missed.push(tally.name);
    }
    for (; mutated < (i + 1) * mutations; mutated++) {
      const convicted = mutateOne(world, dice);
      if (convicted !== undefined) honestConvicted.push(convicted);
    }
  }
  return { tallies, missed, epochs, accused, mutated, honestConvicted };
}

/** False when the lie is not found out. */
function tellOne(
  world: World,
  tally: Tally,
  { dice, now }: { readonly dice: Dice; readonly now: () => number },
): boolean {
  const lie = LIES.find(({ name }) => name === tally.name);
  const told = lie === undefined ? signedOtherwise(world, dice) : toldBy(lie.tell(world, dice), world);
  if (told === undefined) return true;
  tally.told++;
  if (!holdsUp(() => checkEpoch(told.epoch.commitment, world.claimed))) {
    tally.refused++;
    return true;
  }
  const fraud = told.find();
  if (fraud === undefined) return false;
  const bytes = EpochFraud.encode(fraud);
  const start = now();
  const on = { epoch: told.epoch.commitment, chain: world.chain };
  if (!holdsUp(() => verifyEpochFraud(on, EpochFraud.decode(bytes)))) return false;
  tally.convicted++;
  tally.verifyUs = Math.max(tally.verifyUs, 1_000 * (now() - start));
  tally.bytes = Math.max(tally.bytes, bytes.length);
  tally.rules.add(nameOfRule(fraud.rule));
  return true;
}

interface Told {
  readonly epoch: PublishedEpoch;
  readonly find: () => EpochFraud | undefined;
}

function toldBy(epoch: PublishedEpoch | undefined, { chain }: World): Told | undefined {
  return epoch && { epoch, find: () => findEpochFraud(epoch, chain) };
}

/** The gateway signed another receipt than the one that stands in its epoch. */
function signedOtherwise({ epoch, receipts, chain }: World, dice: Dice): Told | undefined {
  const one = dice.pick(receipts);
  const parts = { ...one.parts, platform: one.parts.platform + 1n };
  const longer = dice.chance(0.5) && one.after < (chain.lane(one.channel, one.lane)?.to ?? 0n);
  const receipt = longer
    ? encodeReceipt({ ...one, after: one.after + 1n, parts })
    : encodeReceipt({ ...one, requestHash: dice.bytes(32) });
  return { epoch, find: () => findSignedFraud(epoch, chain, { receipt, signature: SIGNATURE }) };
}

/** True when it does not refuse. Other errors than a refusal are the verifier's own and go on. */
function holdsUp(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

const RULES: readonly EpochRule[] = Object.values(EpochRule).filter((rule) => rule > 0);

function nameOfRule(rule: EpochRule): string {
  const [name = ''] = Object.entries(EpochRule).find(([, number]) => number === rule) ?? [];
  return name.replace('EPOCH_RULE_', '').toLowerCase();
}

/** Points every rule at places of an honest epoch, with true openings. */
function judgeHonest(world: World, dice: Dice): { readonly tried: number; readonly convicted: string[] } {
  const { epoch, chain, claimed } = world;
  const convicted: string[] = [];
  if (!holdsUp(() => checkEpoch(epoch.commitment, claimed))) convicted.push('refused at once');
  if (findEpochFraud(epoch, chain) !== undefined) convicted.push('by the finder');
  let tried = 0;
  for (const rule of RULES) {
    const fraud = accusation(world, rule, dice);
    if (fraud === undefined) continue;
    tried++;
    if (holdsUp(() => verifyEpochFraud({ epoch: epoch.commitment, chain }, fraud)))
      convicted.push(nameOfRule(rule));
  }
  return { tried, convicted };
}

/** A rule said to be broken somewhere; undefined when the epoch has no such place. */
function accusation(world: World, rule: EpochRule, dice: Dice): EpochFraud | undefined {
  const { epoch } = world;
  const { receipts, allocations, entitlements, commitment } = epoch;
  const counts: Readonly<Record<number, number>> = {
    [EpochRule.EPOCH_RULE_LANE]: receipts.tree.leaves + 1,
    [EpochRule.EPOCH_RULE_ORDER]: allocations.tree.leaves - 1,
    [EpochRule.EPOCH_RULE_ALLOCATION]: allocations.tree.leaves,
    [EpochRule.EPOCH_RULE_ROW]: commitment.rows.length,
    [EpochRule.EPOCH_RULE_ENTITLEMENT]: entitlements.tree.leaves,
  };
  if (rule === EpochRule.EPOCH_RULE_SUM || rule === EpochRule.EPOCH_RULE_FORM) {
    const tree = dice.pick([EpochTree.EPOCH_TREE_RECEIPTS, EpochTree.EPOCH_TREE_ALLOCATIONS]);
    const { leaves } = (tree === EpochTree.EPOCH_TREE_RECEIPTS ? receipts : allocations).tree;
    if (leaves === 0) return undefined;
    const level = dice.below(33 - Math.clz32(leaves - 1));
    // Nodes that stand on this level, and not only lower.
    const full = Math.floor(leaves / 2 ** level);
    return full === 0 ? undefined : openEpochFraud(epoch, rule, { tree, level, index: dice.below(full) });
  }
  const count = counts[rule] ?? receipts.tree.leaves;
  if (count <= 0) return undefined;
  const index = dice.below(count);
  if (rule !== EpochRule.EPOCH_RULE_SIGNED) return openEpochFraud(epoch, rule, { index });
  const receipt = receipts.leaf(dice.chance(0.5) ? index : dice.below(count)).slice();
  return openEpochFraud(epoch, rule, { index, receipt, signature: SIGNATURE });
}

/** A rule with openings of somewhere else, or some bytes changed. The rule that convicts; undefined when none. */
function mutateOne(world: World, dice: Dice): string | undefined {
  const rule = dice.pick(RULES);
  const fraud = accusation(world, rule, dice);
  if (fraud === undefined) return undefined;
  const on = { epoch: world.epoch.commitment, chain: world.chain };
  const signs = rule === EpochRule.EPOCH_RULE_SIGNED;
  const convicts = holdsUp(() => {
    const changed = dice.chance(0.3) ? misplaced(fraud, dice) : EpochFraud.decode(flipped(fraud, dice));
    // Another receipt with the gateway's signature would be one that it signed: that convicts with right.
    verifyEpochFraud(on, signs ? { ...changed, receipt: fraud.receipt } : changed);
  });
  return convicts ? `changed: ${nameOfRule(rule)}` : undefined;
}

function misplaced(fraud: EpochFraud, dice: Dice): EpochFraud {
  const index = Math.max(0, fraud.index + dice.between(-2, 2));
  return dice.pick([
    { ...fraud, index },
    { ...fraud, rule: dice.pick(RULES) },
    { ...fraud, level: dice.below(8) },
    { ...fraud, tree: dice.below(4) },
    { ...fraud, openings: fraud.openings.toReversed() },
    { ...fraud, openings: fraud.openings.slice(1) },
    { ...fraud, nodes: fraud.nodes.toReversed() },
    { ...fraud, nodes: fraud.nodes.map(({ hash, sums }) => ({ hash, sums: sums.map((sum) => sum + 1n) })) },
    {
      ...fraud,
      openings: fraud.openings.map(({ leaves, siblings }) => ({ leaves: leaves.toReversed(), siblings })),
    },
  ]);
}

function flipped(fraud: EpochFraud, dice: Dice): Uint8Array {
  const bytes = EpochFraud.encode(fraud);
  for (let changes = dice.between(1, 3); changes > 0; changes--)
    bytes[dice.below(bytes.length)] = dice.chance(0.5) ? dice.below(256) : 0;
  return dice.chance(0.1) ? bytes.slice(0, dice.below(bytes.length)) : bytes;
}
