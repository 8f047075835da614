import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from '../../client/index.ts';
import { toHex } from '../../core/bytes.ts';
import { type Ended, RunningDevnet, runProgram, temporaryHome } from './program.ts';

const root = join(import.meta.dirname, '..', '..');

let home = '';
let devnet: RunningDevnet;

beforeAll(async () => {
  home = temporaryHome();
  const options = ['--home', home, '--rpc-port', '0', '--block-time', '200ms', '--prefix', 'speech'];
  devnet = await RunningDevnet.start([...options, '--validators', '2', '--accounts', '2']);
  await devnet.waitForHeight(1);
});

afterAll(async () => {
  await devnet?.stop();
  rmSync(home, { recursive: true, force: true });
});

const EQUATION = /^(\d+) uopen paid = (\d+) platform \+ (\d+) model \+ (\d+) stakers \+ (\d+) contributors$/;

/** The numbers of the equation: fee, platform, model, stakers, contributors. */
function equationOf({ code, stdout, stderr }: Ended): readonly bigint[] {
  expect(code, stderr).toBe(0);
  const match = stdout
    .split('\n')
    .map((line) => EQUATION.exec(line))
    .find((found) => found !== null);
  expect(match).toBeDefined();
  return (match ?? []).slice(1).map(BigInt);
}

it('the demo pays its first contributors on real nodes, twice, and the chain’s totals are the sums it prints', async () => {
  const first = await runProgram(['demo', '--home', home, '--inferences', '2000']);
  const [, node] = devnet.ready.nodes;
  const again = ['demo', '--home', home, '--rpc', node?.rpc ?? '', '--inferences', '0'];
  const second = await runProgram(again);
  expect(first.stdout.match(/charged for gas only/g)?.length).toBe(3);
  expect(first.stdout).toContain('1941 Franklin D Roosevelt');
  expect(second.stdout).toContain('"state-of-the-union-2"');
  expect(first.stdout).toContain('2,000 inferences in 4 transactions');
  expect(first.stdout).toContain('its span: bytes');
  const [a, b] = [equationOf(first), equationOf(second)];
  const { queries, comet } = await connect(devnet.ready.nodes[0]?.rpc ?? '', { gasPrice: '0.001uopen' });
  const { totals } = await queries.openledger.payments.totals();
  comet.disconnect();
  const [total] = totals;
  const { platform, model, stakers, contributors } = total?.split ?? {};
  expect([total?.fee, platform, model, stakers, contributors]).toEqual(
    a.map((amount, i) => (amount + (b[i] ?? 0n)).toString()),
  );
});

it('the demo’s last claim is explained down to the spans quoted, and holds without this program', async () => {
  const [node, other] = devnet.ready.nodes.map(({ rpc }) => rpc);
  const { comet } = await connect(node ?? '', { gasPrice: '0.001uopen' });
  const query = "message.action='/openledger.pools.v1.MsgClaim'";
  const hash = (await comet.txSearchAll({ query })).txs.at(-1)?.hash ?? new Uint8Array(0);
  comet.disconnect();
  const file = join(home, 'payout.json');
  const told = await runProgram(['explain', toHex(hash), '--node', node ?? '', '--proofs', file]);
  expect(told.stderr).toBe('');
  expect(told.stdout).toMatch(/quotes \d+ bytes from \d+ on of contribution \d+ of speech1/);
  const [, height = '', trusted = ''] =
    /follows from block (\d+), hash ([0-9a-f]{64})/.exec(told.stdout) ?? [];
  // The other node says that this is the chain's block.
  const { comet: witness } = await connect(other ?? '', { gasPrice: '0.001uopen' });
  expect(toHex((await witness.block(Number(height))).blockId.hash)).toBe(trusted);
  witness.disconnect();
  const verifier = join(root, 'client', 'verifier', 'verify-payout.ts');
  const run = (block: string) =>
    spawnSync(process.execPath, [verifier, file, '--height', height, '--hash', block], { encoding: 'utf8' });
  expect(run(trusted)).toMatchObject({ status: 0, stderr: '' });
  expect(run('00'.repeat(32))).toMatchObject({ status: 1, stdout: '' });
});

it('a home without a devnet is one clear sentence and exit code 1', async () => {
  const { code, stderr } = await runProgram(['demo', '--home', `${home}/nowhere`]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^openledgerd: there is no devnet in .*npm run devnet.*\n$/);
});
