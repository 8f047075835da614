/**
 * What a transfer costs the main thread: `node bin/run.mjs node app/bench.ts [accounts] [rounds]`. Each line
 * is CPU microseconds for one MsgSend; the last two are what the same run can do at best in one signature
 * check and one hash, to hold the others against.
 */
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

/** Runs and adds the time to a line. */
function timed(totals: Map<string, number>, name: string, counts: boolean, run: () => void): void {
  const start = microseconds();
  run();
  if (counts) totals.set(name, (totals.get(name) ?? 0) + microseconds() - start);
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
  const totals = new Map<string, number>();
  let transactions = 0;
  for (let round = 0; round < WARM_UP + rounds; round++) {
    const counts = round >= WARM_UP;
    const txs = chain.accounts.map((from, i) => {
      const to = chain.account((i * 7 + round) % accounts).address;
      return chain.send(from, to, '1uopen', { sequence: BigInt(round), accountNumber: BigInt(i) });
    });
    timed(totals, 'decode', counts, () => txs.forEach((tx) => void chain.app.signatureTasks(tx)));
    timed(totals, 'check', counts, () => txs.forEach((tx) => void chain.check(tx)));
    timed(totals, 'finalize', counts, () => void chain.app.finalizeBlock(blockOf(BigInt(round + 2), txs)));
    timed(totals, 'commit', counts, () => void chain.app.commit());
    if (counts) transactions += txs.length;
  }
  const [alice] = chain.accounts;
  const tasks = chain.app.signatureTasks(chain.send(chain.account(0), alice?.address ?? '', '1uopen'));
  for (const [name, total] of totals)
    report(`app/${name}/msg=send,accounts=${accounts}`, total / transactions);
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

function report(name: string, value: number): void {
  process.stdout.write(`${name} ${value.toFixed(1)} CPU-us\n`);
}

main();
