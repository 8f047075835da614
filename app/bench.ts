/**
 * What a transfer costs the main thread: `node bin/run.mjs node app/bench.ts [accounts] [rounds]`. Each line
 * is CPU microseconds, or bytes allocated, for one MsgSend; the last two are what the same run can do at best
 * in one signature check and one hash, to hold the others against.
 */
import { GCProfiler, getHeapStatistics } from 'node:v8';
import { fromHex } from '../core/bytes.ts';
import { sha256 } from '../core/hash.ts';
import type { RequestFinalizeBlock } from '../proto/gen/tendermint/abci/types.ts';
import { plainVerifier, TestChain } from '../test/support/test-chain.ts';

const accounts = Number(process.argv[2] ?? 2000);
const rounds = Number(process.argv[3] ?? 8);
/** Rounds before the compiler has settled. */
const WARM_UP = 2;

/** CPU time of the whole process, so that other work on the machine counts little. */
function microseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** What a part of the run took. */
interface Cost {
  readonly microseconds: number;
  /** Of the engine's heap, collected meanwhile or not. */
  readonly bytes: number;
}

/** Runs and adds the costs to a line. */
function measured(totals: Map<string, Cost>, name: string, run: () => void): void {
  const collections = new GCProfiler();
  collections.start();
  const heap = getHeapStatistics().used_heap_size;
  const start = microseconds();
  run();
  const spent = microseconds() - start;
  let bytes = getHeapStatistics().used_heap_size - heap;
  for (const { beforeGC, afterGC } of collections.stop()?.statistics ?? [])
    bytes += beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize;
  const before = totals.get(name) ?? { microseconds: 0, bytes: 0 };
  totals.set(name, { microseconds: before.microseconds + spent, bytes: before.bytes + bytes });
}

function blockOf(height: bigint, txs: readonly Uint8Array[]): RequestFinalizeBlock {
  const empty = new Uint8Array(0);
  return {
    txs,
    decidedLastCommit: { round: 0, votes: [] },
    misbehavior: [],
    hash: sha256(fromHex('00')),
    height,
    time: { seconds: height, nanos: 0 },
    nextValidatorsHash: empty,
    proposerAddress: empty,
  };
}

function main(): void {
  // Signatures are checked in worker threads in a node, so they are left out here.
  const chain = new TestChain({ accounts, app: { verifier: { verify: () => true } } });
  chain.block();
  const totals = new Map<string, Cost>();
  for (let round = 0; round < WARM_UP + rounds; round++) {
    if (round === WARM_UP) totals.clear();
    const txs = chain.accounts.map((from, i) => {
      const to = chain.account((i * 7 + round) % accounts).address;
      return chain.send(from, to, '1uopen', { sequence: BigInt(round), accountNumber: BigInt(i) });
    });
    const height = BigInt(round + 2);
    measured(totals, 'decode', () => txs.forEach((tx) => void chain.app.signatureTasks(tx)));
    measured(totals, 'check', () => txs.forEach((tx) => void chain.check(tx)));
    const execution = chain.app.beginBlock(blockOf(height, txs));
    measured(totals, 'execute', () => execution.run(txs.length));
    measured(totals, 'end', () => void execution.end());
    measured(totals, 'commit', () => void chain.app.commit());
  }
  const [alice] = chain.accounts;
  const tasks = chain.app.signatureTasks(chain.send(chain.account(0), alice?.address ?? '', '1uopen'));
  const transactions = rounds * accounts;
  for (const [name, { microseconds, bytes }] of totals) {
    report(`app/${name}/msg=send,accounts=${accounts}`, microseconds / transactions);
    report(`app/${name}/msg=send,accounts=${accounts}`, bytes / transactions, 'B');
  }
  report(
    'limit/verify/curve=secp256k1',
    time(2000, () => tasks.forEach((task) => void plainVerifier.verify(task))),
  );
  const bytes = new Uint8Array(300);
  report(
    'limit/sha256/bytes=300',
    time(100_000, () => void sha256(bytes)),
  );
}

function time(runs: number, run: () => void): number {
  const start = microseconds();
  for (let i = 0; i < runs; i++) run();
  return (microseconds() - start) / runs;
}

function report(name: string, value: number, unit = 'CPU-us'): void {
  process.stdout.write(`${name} ${value.toFixed(1)} ${unit}\n`);
}

main();
