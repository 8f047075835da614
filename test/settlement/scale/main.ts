/**
 * Inferences by the million: `npm run scale -- --inferences 10000000 --channels 1000 --seed 1`. Exit code 1 when a
 * unit is not where it has to be, a transaction is too large, or there are more than ten.
 */
import { ProgramOptions } from '../../support/program-options.ts';
import { problemsOfSize, TRANSACTIONS_MAX } from './limits.ts';
import { runScale } from './run.ts';

const options = new ProgramOptions({
  command: 'npm run scale',
  purpose: 'inferences over channels from vouchers to claims, in at most ten transactions, to the unit.',
});
const inferences = options.number('inferences', { fallback: 1_000_000, least: 1, help: 'in all' });
const channels = options.number('channels', { fallback: 1_000, least: 1, help: 'a payer each' });
const rounds = options.number('rounds', { fallback: 4, least: 1, help: 'epochs, two transactions each' });
const contributions = options.number('contributions', {
  fallback: 2_000,
  least: 10,
  help: 'that answers draw on',
});
const receiptsEvery = options.number('receipts-every', {
  fallback: 1,
  least: 1,
  help: 'one receipt in so many is signed and checked; every voucher is',
});
const threads = options.number('threads', { fallback: 2, least: 1, help: 'that sign and verify' });
const windowBlocks = options.number('window', { fallback: 20_000, least: 1, help: 'blocks of a window' });
const seed = options.number('seed', { fallback: 1, help: 'what everything is made from' });
options.end();

function line(text: string): void {
  process.stdout.write(`${text}\n`);
}

const start = performance.now();
const size = { inferences, channels, rounds, contributions, receiptsEvery, threads, windowBlocks, seed };
const result = await runScale(size, { say: line, now: () => performance.now() });
const { transactions, transfer, money, traffic, closing } = result;
const { totals, paid } = traffic;
const perInference = (total: number): string => (total / inferences).toFixed(4);
const bytes = transactions.reduce((sum, tx) => sum + tx.bytes, 0);
const microseconds = 1_000 * transactions.reduce((sum, tx) => sum + tx.milliseconds, 0);
const signatures = transactions.reduce((sum, tx) => sum + tx.signaturesMs, 0);
const gas = transactions.reduce((sum, tx) => sum + tx.gas, 0n);
const fees = totals.platform + totals.model + totals.stakers + totals.contributors;

line('');
const seconds = (us: number): string => (us / 1e6).toFixed(1);
const each = (us: number, count: number): string => `${(us / count).toFixed(0)} us each`;
line(
  `${paid.vouchers} vouchers of ${inferences} inferences: payers signed in ${seconds(paid.signing)} s of processors ` +
    `(${each(paid.signing, paid.vouchers)}), the gateway verified in ${seconds(paid.verifying)} s ` +
    `(${each(paid.verifying, paid.vouchers)})`,
);
line(
  `${paid.receipts} receipts: the gateway signed in ${seconds(paid.receiptSigning)} s of processors ` +
    `(${each(paid.receiptSigning, paid.receipts)}), payers checked in ${seconds(paid.receiptChecking)} s ` +
    `(${each(paid.receiptChecking, paid.receipts)})`,
);
line(`vouchers are over ${paid.amount} = what was claimed`);
line(`fees: ${fees} = platform ${totals.platform} + models ${totals.model} + stakers ${totals.stakers}`);
line(`      + contributors ${totals.contributors}`);
line(`now:  ${money.platformAndStakers} community pool and stakers + ${money.gateway} models' owner`);
line(`      + ${money.contributors} contributors took + ${money.pools} in pools`);
line(`      + ${money.settlement} in entitlements that nobody claimed yet`);
line(
  `on the chain: ${transactions.length} transactions, ${bytes} bytes, ${gas} gas, ${(microseconds / 1e6).toFixed(2)} s, ` +
    `${(signatures / 1e3).toFixed(2)} s of it in signatures`,
);
line(
  `each inference: ${perInference(bytes)} bytes, ${perInference(Number(gas))} gas, ${perInference(microseconds)} us; ` +
    `a transfer each: ${transfer.bytes} bytes, ${transfer.gas} gas, ${transfer.microseconds.toFixed(0)} us`,
);
const { setUp } = result.world;
const ends = { bytes: setUp.channelBytes + closing.bytes, gas: setUp.channelGas + closing.gas };
line(
  `not in it: ${setUp.channels} transactions that opened channels (${setUp.channelBytes} bytes, ${setUp.channelGas} gas) ` +
    `and ${closing.transactions} that closed them (${closing.bytes} bytes, ${closing.gas} gas);`,
);
line(
  `with these ${perInference(bytes + ends.bytes)} bytes and ${perInference(Number(gas + ends.gas))} gas an inference`,
);
const { user, system } = process.cpuUsage();
line(
  `${((performance.now() - start) / 1_000).toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} s of processors, ` +
    `${Math.round(process.resourceUsage().maxRSS / 1_024)} MB at most`,
);
const problems = [...result.problems, ...problemsOfSize(transactions)];
line(problems.length === 0 ? `every unit is found; at most ${TRANSACTIONS_MAX} transactions` : 'FAILED');
for (const problem of problems) line(problem);
if (problems.length > 0) process.exitCode = 1;
