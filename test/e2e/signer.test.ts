/** A validator whose key is in another process: both are killed, in turn, and nothing is signed twice. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { killProcess, processEnd, RunningNode, runProgram, temporaryHome } from './program.ts';

const mainFile = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'cli', 'main.ts');
const CHAIN = 'signer-test-1';

let folder = '';
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = temporaryHome();
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** A signer as an operator runs it. Its lines are kept; one can be waited for. */
class RunningSigner {
  readonly pid: number;
  readonly lines: string[] = [];
  #waiting: { readonly text: string; readonly resolve: () => void }[] = [];

  constructor(address: string) {
    const files = [
      '--key',
      join(folder, 'vault', 'key.json'),
      '--state',
      join(folder, 'vault', 'state.json'),
    ];
    const args = [
      mainFile,
      'signer',
      ...files,
      '--address',
      address,
      '--chain-id',
      CHAIN,
      '--log-level',
      'debug',
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    this.pid = child.pid ?? 0;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(line);
      appendFileSync(join(folder, 'signed.log'), `${line}\n`);
      for (const each of this.#waiting) if (line.includes(each.text)) each.resolve();
    });
  }

  next(text: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ text, resolve }));
  }

  async kill(): Promise<void> {
    killProcess(this.pid);
    await processEnd(this.pid);
  }
}

/** A node whose key and signing state were moved away from it. */
async function nodeWithoutKey(address: string): Promise<string> {
  const home = join(folder, 'home');
  const any = ['--rpc-laddr', 'tcp://127.0.0.1:0', '--p2p-laddr', 'tcp://127.0.0.1:0'];
  await runProgram(['init', 'a', '--home', home, '--chain-id', CHAIN, ...any]);
  mkdirSync(join(folder, 'vault'));
  renameSync(join(home, 'config', 'priv_validator_key.json'), join(folder, 'vault', 'key.json'));
  renameSync(join(home, 'data', 'priv_validator_state.json'), join(folder, 'vault', 'state.json'));
  const config = join(home, 'config', 'config.toml');
  const text = readFileSync(config, 'utf8')
    .replace('priv_validator_laddr = ""', `priv_validator_laddr = "${address}"`)
    .replace('timeout_commit = "1s"', 'timeout_commit = "200ms"');
  writeFileSync(config, text);
  return home;
}

interface VoteView {
  readonly hash: string;
  readonly height: number;
  readonly round: number;
  readonly signature: string;
}

/** The precommits of each height, as everybody can read them. */
async function commitOf(rpc: string, height: number): Promise<VoteView> {
  const response = await fetch(`${rpc}/commit?height=${height}`);
  const { result } = (await response.json()) as {
    result: {
      signed_header: {
        commit: { round: number; block_id: { hash: string }; signatures: { signature: string }[] };
      };
    };
  };
  const { round, block_id: block, signatures } = result.signed_header.commit;
  return { height, round, hash: block.hash, signature: signatures[0]?.signature ?? '' };
}

const stateHeight = (): number =>
  Number(JSON.parse(readFileSync(join(folder, 'vault', 'state.json'), 'utf8')).height);

describe('a validator whose key is in openledgerd signer', () => {
  it('halts without its signer, goes on when it is back, survives kill -9 of either, and signs nothing twice', {
    timeout: 120_000,
  }, async () => {
    const address = `unix://${join(folder, 's')}`;
    const home = await nodeWithoutKey(address);
    let signer = new RunningSigner(address);
    let node = await RunningNode.start(home);
    const seen: VoteView[] = [];
    for (let turn = 0; turn < 2; turn++) {
      await node.waitForHeight(node.height + 3);
      await signer.kill();
      const stopped = node.height;
      const signedSoFar = stateHeight();
      expect(signedSoFar).toBeLessThanOrEqual(stopped + 1);
      // A second of a chain with blocks of 200 ms: at most what was signed before the kill comes after it.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(node.height).toBeLessThanOrEqual(signedSoFar);
      signer = new RunningSigner(address);
      await node.waitForHeight(node.height + 2);
      for (let height = 1; height < node.height; height++) seen.push(await commitOf(node.rpc, height));
      const redialled = signer.next('connected to the node');
      killProcess(node.pid);
      await node.ended;
      node = await RunningNode.start(home);
      await redialled;
      await node.waitForHeight(node.height + 2);
    }
    for (const view of seen) expect(await commitOf(node.rpc, view.height)).toEqual(view);
    const signatures = new Set(seen.map((view) => view.signature));
    expect(signatures.size).toBe(new Set(seen.map((view) => view.height)).size);
    await node.stop();
    const log = readFileSync(join(folder, 'signed.log'), 'utf8');
    expect(log).not.toContain('something else');
  });

  it('does not start without its signer, and says what to do', { timeout: 60_000 }, async () => {
    const home = await nodeWithoutKey('tcp://127.0.0.1:0');
    const ended = await runProgram(['start', '--home', home, '--log-level', 'none']);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(
      /^openledgerd: no signer connected to tcp:\/\/127\.0\.0\.1:\d+ within 10 s\. Start it .*\n$/,
    );
  });

  it('is refused a second signer with the same state, in words', { timeout: 60_000 }, async () => {
    const address = `unix://${join(folder, 's')}`;
    await nodeWithoutKey(address);
    const first = new RunningSigner(address);
    await first.next('the signer has started');
    const files = [
      '--key',
      join(folder, 'vault', 'key.json'),
      '--state',
      join(folder, 'vault', 'state.json'),
    ];
    const ended = await runProgram(['signer', ...files, '--address', address, '--chain-id', CHAIN]);
    expect(ended.stderr).toMatch(
      /^openledgerd: a signer with the state .* is running already \(process \d+\)/,
    );
    const wrong = await runProgram(['signer', ...files, '--address', 'nowhere', '--chain-id', CHAIN]);
    expect(wrong.stderr).toMatch(/^openledgerd: --address: "nowhere" is not an address such as/);
    const noChain = await runProgram(['signer', ...files, '--address', address]);
    expect(noChain.stderr).toMatch(/^openledgerd: --chain-id is needed/);
  });
});
