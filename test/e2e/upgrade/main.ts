/**
 * `npm run upgrade`: an upgrade by governance on a network of real processes. Four validators of this program;
 * stock CosmJS proposes `MsgSoftwareUpgrade` and votes; all four stop at the plan's height and say why; the
 * next release (`next.ts`) is started on the same homes, adds a module with its store, and the chain goes on.
 * `--validators 7`, `--voting 5` (seconds). Exit code 1 when something did not hold.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ProgramOptions } from '../../support/program-options.ts';
import { choosePorts } from '../../../cli/devnet/ports.ts';
import { configureNodes } from '../../../cli/devnet/configure.ts';
import type { DevnetRecord } from '../../../cli/devnet/record.ts';
import { BLOCK_TIME_MS, makeDevnet, queriesOf } from '../journey/devnet.ts';
import { coin, traveller } from '../journey/traveller.ts';
import { type Ended, mainFile, RunningNode, temporaryHome } from '../program.ts';
import { blockAt, heightOf } from '../rpc.ts';
import { type Planned, planUpgrade } from './plan.ts';
import { KEY, PLAN_NAME, STORE } from './notes.ts';

const next = join(import.meta.dirname, 'next.ts');
/** Blocks of 200 ms at the fastest, from the proposal to the plan's height: the votes must be counted before. */
const BLOCKS_A_SECOND = 1000 / BLOCK_TIME_MS;
const SPARE_SECONDS = 10;
const BLOCKS_AFTER = 5;

const options = new ProgramOptions({
  command: 'npm run upgrade',
  purpose: 'an upgrade by governance on a network of real processes.',
});
const validators = options.number('validators', { fallback: 4, least: 1, help: 'how many' });
const votingSeconds = options.number('voting', {
  fallback: 6,
  least: 1,
  help: 'seconds of the voting period',
});
const keep = options.flag('keep', 'leave the homes; a failure leaves them too');
options.end();
const home = temporaryHome();
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const record = await makeDevnet(home, { validators, accounts: 1, votingSeconds });
configureNodes({
  record,
  ports: await choosePorts({ nodes: record.nodes.length, rpcPort: 0 }),
  blockTimeMs: BLOCK_TIME_MS,
});
let running = await startAll(record, mainFile);
try {
  const planned = await plan();
  await stopAtHeight(planned);
  running = await startAll(record, next);
  await goOn(planned);
  say('every node came to the height, stopped, and went on with the next release');
} catch (error) {
  say(`FAILED: homes are in ${home}`);
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
} finally {
  await Promise.all(running.map((node) => node.stop()));
}
if (process.exitCode !== 1 && !keep) rmSync(home, { recursive: true, force: true });

function startAll({ nodes }: DevnetRecord, program: string): Promise<RunningNode[]> {
  return Promise.all(nodes.map((node) => RunningNode.start(node.home, program)));
}

async function plan(): Promise<Planned> {
  const [first] = running;
  assert(first !== undefined);
  await first.waitForHeight(2);
  const planned = await planUpgrade({
    rpc: first.rpc,
    record,
    name: PLAN_NAME,
    blocks: (votingSeconds + SPARE_SECONDS) * BLOCKS_A_SECOND,
  });
  say(`proposal ${planned.proposalId} plans ${PLAN_NAME} at height ${planned.height}`);
  return planned;
}

async function stopAtHeight({ height, info }: Planned): Promise<void> {
  const before = running[0]?.waitForHeight(height - 1).catch(() => undefined);
  const ended = await Promise.all(running.map((node) => node.ended));
  await before;
  const needed = `UPGRADE "${PLAN_NAME}" NEEDED at height: ${height}: ${info}`;
  for (const [i, end] of ended.entries()) requireStop(end, needed, record.nodes[i]?.home ?? '', height);
  say(`all ${ended.length} nodes stopped: ${needed}`);
  const again = await failureOf(mainFile);
  assert(again.includes(needed), again);
  say('one that was started again says the same');
}

function requireStop(end: Ended, needed: string, nodeHome: string, height: number): void {
  assert.equal(end.code, 1);
  assert(end.stderr.includes(needed), end.stderr);
  const file = join(nodeHome, 'data', 'upgrade-info.json');
  assert(existsSync(file), `${file} is missing`);
  const written = JSON.parse(readFileSync(file, 'utf8'));
  assert.deepEqual([written.name, written.height], [PLAN_NAME, height]);
}

/** Why a program cannot run the first node. */
async function failureOf(program: string): Promise<string> {
  return RunningNode.start(record.nodes[0]?.home ?? '', program).then(
    async (node) => {
      const { stderr } = await node.ended;
      return stderr;
    },
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

async function goOn({ height }: Planned): Promise<void> {
  const target = height + BLOCKS_AFTER;
  await Promise.all(running.map((node) => node.waitForHeight(target)));
  const blocks = await Promise.all(running.map(({ rpc }) => blockAt(rpc, target)));
  for (const block of blocks) assert.deepEqual(block, blocks[0]);
  const [first] = running;
  assert(first !== undefined);
  const query = await queriesOf(first.rpc);
  const { value } = await query.queryAbci(`/store/${STORE}/key`, KEY, target);
  assert.equal(new TextDecoder().decode(value), String(target));
  const account = await traveller(first.rpc, 'direct', record.accounts[0]?.mnemonic);
  await account.ok({
    typeUrl: '/cosmos.bank.v1beta1.MsgSend',
    value: { fromAddress: account.address, toAddress: account.address, amount: [coin(1)] },
  });
  say(`${running.length} nodes agree on block ${target}, the new module works, a transfer is taken`);
  assert((await heightOf(first.rpc)) >= target);
  await running[0]?.stop();
  const late = await failureOf(mainFile);
  assert(late.includes(`upgrade handler is missing for ${PLAN_NAME} upgrade plan`), late);
  say('the old program refuses to go on from there');
}
