/** `--only evidence`: processor time for each unit of gas that evidence is charged, beside a plain transfer's. */
import { MsgSend } from '../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { DEFAULT_PARAMS } from '../../modules/attribution/params.ts';
import { anyOf, TestChain } from '../support/test-chain.ts';
import { type EvidenceCase, shardEvidence, textEvidence } from './evidence-cases.ts';
import { headEvidence } from './evidence-heads.ts';
import { omissionEvidence } from './evidence-omission.ts';
import { percentile } from './percentile.ts';
import type { Report } from './report.ts';

const TRANSFERS = 200;
const BLOCKS = 12;
/** Each case runs so long, a third of it not counted. */
const CASE_MS = 300;
/** Out of line: so many times as long for a unit of gas as a transfer. */
const RATIO_AIM = 5;

/** A case as measured. */
export interface EvidenceResult {
  readonly name: string;
  readonly microseconds: number;
  readonly gas: number;
  /** Nanoseconds for a unit of gas, by those of a transfer. */
  readonly ratio: number;
}

/** Measures all cases, the worst last. */
export function reportEvidence({ row, note }: Report): readonly EvidenceResult[] {
  const before = transferNanos();
  row('evidence/transfer', {}, `${before.toFixed(2)} ns for a unit of gas: signature, fee and message`);
  note('shards');
  const shards = shardEvidence().map((each) => measured(each, before));
  note('heads');
  const others = [textEvidence(), omissionEvidence(1), omissionEvidence(8), ...headEvidence()].map((each) =>
    measured(each, before),
  );
  const results = [...shards, ...others];
  const sorted = results.toSorted((a, b) => a.ratio - b.ratio);
  for (const { name, microseconds, gas, ratio } of sorted)
    row(`evidence/${name}`, {}, `${microseconds.toFixed(0)} us, ${gas} gas: ${ratio.toFixed(2)} transfers`);
  const worst = sorted.at(-1);
  row('evidence/worst', {}, `${worst?.name}: ${worst?.ratio.toFixed(2)} times a transfer (aim ${RATIO_AIM})`);
  row('evidence/transfer', {}, `${transferNanos().toFixed(2)} ns for a unit of gas afterwards`);
  return sorted;
}

/** Nanoseconds that a unit of gas of a transfer takes, the block's own work included. */
function transferNanos(): number {
  const chain = new TestChain({ accounts: TRANSFERS + 1 });
  const toAddress = chain.account(TRANSFERS).address;
  const amount = [{ denom: 'uopen', amount: '1' }];
  const rounds = Array.from({ length: BLOCKS }, () => {
    const txs = Array.from({ length: TRANSFERS }, (_, i) => {
      const sender = chain.account(i);
      return chain.sign(sender, [anyOf(MsgSend, { fromAddress: sender.address, toAddress, amount })]);
    });
    const before = process.cpuUsage();
    const { txResults } = chain.block(...txs);
    return (1_000 * microsSince(before)) / txResults.reduce((sum, { gasUsed }) => sum + Number(gasUsed), 0);
  });
  return percentile(rounds, 0.5);
}

/** Processor time of the process: what others do on the cores is not in it. */
function microsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** What evidence is charged by the parameters of a new chain. */
function gasOf({ bytes, work }: EvidenceCase): number {
  const { gasPerHash, gasPerByte } = DEFAULT_PARAMS;
  return work.hashes * gasPerHash + (work.bytes + bytes) * gasPerByte;
}

function measured(evidence: EvidenceCase, transfer: number): EvidenceResult {
  const { name, check } = evidence;
  const until = (ms: number): number => {
    const start = performance.now();
    const before = process.cpuUsage();
    let runs = 0;
    for (; performance.now() - start < ms; runs++) check();
    return microsSince(before) / runs;
  };
  until(CASE_MS / 3);
  const microseconds = until((2 * CASE_MS) / 3);
  const gas = gasOf(evidence);
  return { name, microseconds, gas, ratio: (1_000 * microseconds) / gas / transfer };
}
