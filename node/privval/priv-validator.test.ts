import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type BlockId, NIL_BLOCK_ID } from '../../consensus/types/block-id.ts';
import { voteSignBytes } from '../../consensus/types/sign-bytes.ts';
import type { VoteType } from '../../consensus/types/vote.ts';
import { toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { ed25519Signer, verifyEd25519 } from '../crypto/ed25519.ts';
import type { DurableFiles } from './durable-file.ts';
import { FilePrivValidator, type FilePrivValidatorOptions } from './file-priv-validator.ts';
import type { PrivValidator, ProposalToSign, VoteToSign } from './priv-validator.ts';

const CHAIN = 'test-chain';
const SEED = sha256(utf8('validator seed'));
const block = (name: string): BlockId => ({
  hash: sha256(utf8(name)),
  partSetHeader: { total: 1, hash: sha256(utf8(`${name} parts`)) },
});

function vote(
  type: VoteType,
  height: bigint,
  round: number,
  rest: { readonly blockId?: BlockId; readonly seconds?: bigint } = {},
): VoteToSign {
  return {
    type,
    height,
    round,
    blockId: rest.blockId ?? block('a'),
    validatorAddress: new Uint8Array(20),
    validatorIndex: 0,
    timestamp: { seconds: rest.seconds ?? 1000n, nanos: 7 },
  };
}

function proposal(height: bigint, round: number, blockId: BlockId = block('a')): ProposalToSign {
  return { height, round, polRound: -1, blockId, timestamp: { seconds: 1000n, nanos: 0 } };
}

/** A file system in memory that loses what was not made durable, and fails from a chosen step on. */
class CrashFiles implements DurableFiles {
  readonly #durable = new Map<string, Uint8Array>();
  readonly #visible = new Map<string, Uint8Array>();
  stepsLeft = Number.POSITIVE_INFINITY;

  async read(path: string): Promise<Uint8Array | undefined> {
    return this.#visible.get(path);
  }
  async writeSynced(path: string, bytes: Uint8Array): Promise<void> {
    this.#visible.set(path, bytes.slice(0, bytes.length / 2)); // torn, when the power fails now
    this.#step();
    this.#visible.set(path, bytes.slice());
    this.#durable.set(path, bytes.slice());
  }
  async rename(from: string, to: string): Promise<void> {
    this.#step();
    const bytes = this.#visible.get(from);
    if (bytes === undefined) throw new Error(`no file ${from}`);
    this.#visible.set(to, bytes);
    this.#visible.delete(from);
  }
  async syncDirectory(directory: string): Promise<void> {
    this.#step();
    this.#durable.clear();
    for (const [path, bytes] of this.#visible)
      if (dirname(path) === directory) this.#durable.set(path, bytes);
  }
  /** The power fails. Renames that were not synced may or may not have happened. */
  crash(keepRenames: boolean): void {
    this.stepsLeft = Number.POSITIVE_INFINITY;
    if (keepRenames) return;
    this.#visible.clear();
    for (const [path, bytes] of this.#durable) this.#visible.set(path, bytes);
  }
  #step(): void {
    if (this.stepsLeft-- <= 0) throw new Error('power failed');
  }
}

const onDisk = (): FilePrivValidatorOptions => {
  const directory = mkdtempSync(join(tmpdir(), 'privval-'));
  return {
    keyPath: join(directory, 'priv_validator_key.json'),
    statePath: join(directory, 'priv_validator_state.json'),
    makeSigner: ed25519Signer,
  };
};
const inMemory = (files: DurableFiles): FilePrivValidatorOptions => ({
  keyPath: '/v/key.json',
  statePath: '/v/state.json',
  makeSigner: ed25519Signer,
  files,
});

/** What every signer must do; `reopen` is a restart of the process. */
function compliance(
  name: string,
  start: () => Promise<{ signer: PrivValidator; reopen: () => Promise<PrivValidator> }>,
): void {
  test(`${name}: a signature verifies against the canonical bytes`, async () => {
    const { signer } = await start();
    const signed = await signer.signVote(CHAIN, vote('prevote', 1n, 0));
    expect(verifyEd25519(signer.publicKey.bytes, voteSignBytes(CHAIN, signed), signed.signature)).toBe(true);
    expect(signer.address).toEqual(sha256(signer.publicKey.bytes).slice(0, 20));
  });

  test(`${name}: steps go forward only`, async () => {
    const { signer, reopen } = await start();
    await signer.signProposal(CHAIN, proposal(5n, 1));
    await signer.signVote(CHAIN, vote('prevote', 5n, 1));
    await signer.signVote(CHAIN, vote('precommit', 5n, 1));
    for (const each of [signer, await reopen()]) {
      const refusals = [
        each.signVote(CHAIN, vote('prevote', 5n, 1)),
        each.signProposal(CHAIN, proposal(5n, 1)),
        each.signVote(CHAIN, vote('precommit', 5n, 0)),
        each.signVote(CHAIN, vote('precommit', 4n, 9)),
      ];
      for (const refusal of refusals) await expect(refusal).rejects.toThrow('it has signed a later step');
    }
    await signer.signVote(CHAIN, vote('prevote', 5n, 2));
  });

  test(`${name}: another block at the same step is refused, nil too, also after a restart`, async () => {
    const { signer, reopen } = await start();
    await signer.signVote(CHAIN, vote('precommit', 1n, 0));
    for (const each of [signer, await reopen()]) {
      for (const blockId of [block('b'), NIL_BLOCK_ID]) {
        const refusal = each.signVote(CHAIN, vote('precommit', 1n, 0, { blockId }));
        await expect(refusal).rejects.toThrow('it has signed something else there');
      }
    }
    await expect(signer.signVote('other-chain', vote('precommit', 1n, 0))).rejects.toThrow('something else');
  });

  test(`${name}: the same vote, or the same with another time, gets the first signature and time`, async () => {
    const { signer, reopen } = await start();
    const first = await signer.signVote(CHAIN, vote('prevote', 1n, 0));
    for (const each of [signer, await reopen()]) {
      expect(await each.signVote(CHAIN, vote('prevote', 1n, 0))).toEqual(first);
      expect(await each.signVote(CHAIN, vote('prevote', 1n, 0, { seconds: 2000n }))).toEqual(first);
    }
    const firstProposal = await signer.signProposal(CHAIN, proposal(2n, 0));
    const later = { ...proposal(2n, 0), timestamp: { seconds: 5000n, nanos: 1 } };
    expect(await signer.signProposal(CHAIN, later)).toEqual(firstProposal);
    await expect(signer.signProposal(CHAIN, { ...later, polRound: 0 })).rejects.toThrow('something else');
  });

  test(`${name}: requests at the same moment are answered one after another`, async () => {
    const { signer } = await start();
    const answers = await Promise.allSettled([
      signer.signVote(CHAIN, vote('prevote', 1n, 0)),
      signer.signVote(CHAIN, vote('prevote', 1n, 0, { blockId: block('b') })),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'rejected']);
  });
}

compliance('file signer', async () => {
  const options = onDisk();
  const signer = await FilePrivValidator.create(SEED, options);
  return { signer, reopen: () => FilePrivValidator.open(options) };
});

test('both files have CometBFT’s form', async () => {
  const options = onDisk();
  const signer = await FilePrivValidator.create(SEED, options);
  await signer.signVote(CHAIN, vote('prevote', 3n, 2));
  const key = JSON.parse(readFileSync(options.keyPath, 'utf8'));
  expect(Object.keys(key)).toEqual(['address', 'pub_key', 'priv_key']);
  expect(key.address).toBe(toHex(signer.address).toUpperCase());
  expect(key.pub_key).toEqual({
    type: 'tendermint/PubKeyEd25519',
    value: Buffer.from(signer.publicKey.bytes).toString('base64'),
  });
  expect(Buffer.from(key.priv_key.value, 'base64')).toEqual(Buffer.concat([SEED, signer.publicKey.bytes]));
  const state = JSON.parse(readFileSync(options.statePath, 'utf8'));
  expect(state).toMatchObject({ height: '3', round: 2, step: 2 });
  expect(state.signbytes).toMatch(/^[0-9A-F]+$/);
  expect(statSync(options.keyPath).mode & 0o077).toBe(0);
});

test('a key without a state, a damaged state and an existing key are refused with what to do', async () => {
  const options = onDisk();
  await expect(FilePrivValidator.open(options)).rejects.toThrow('openledgerd init');
  await FilePrivValidator.create(SEED, options);
  await expect(FilePrivValidator.create(SEED, options)).rejects.toThrow('never overwritten');
  for (const text of ['', '{"height":5,"round":0,"step":0}', '{"height":"1","round":0,"step":9}', '[]']) {
    writeFileSync(options.statePath, text);
    await expect(FilePrivValidator.open(options)).rejects.toThrow('Restore it');
  }
  const elsewhere = { ...options, statePath: `${options.statePath}.missing` };
  await expect(FilePrivValidator.open(elsewhere)).rejects.toThrow('has no signing state');
  writeFileSync(options.keyPath, '{"priv_key":{"type":"tendermint/PrivKeyEd25519","value":"AAAA"}}');
  await expect(FilePrivValidator.open(options)).rejects.toThrow('cannot read the validator key');
});

for (const keepRenames of [true, false]) {
  for (let steps = 0; steps <= 3; steps++) {
    test(`power fails after ${steps} steps of signing, renames ${keepRenames ? 'kept' : 'lost'}: one value at most leaves`, async () => {
      const files = new CrashFiles();
      const signer = await FilePrivValidator.create(SEED, inMemory(files));
      await signer.signVote(CHAIN, vote('prevote', 1n, 0));
      files.stepsLeft = steps;
      const outcomes = [await signer.signVote(CHAIN, vote('precommit', 1n, 0)).catch(() => undefined)];
      if (steps < 3) {
        expect(outcomes[0]).toBeUndefined();
        files.stepsLeft = Number.POSITIVE_INFINITY;
        await expect(signer.signVote(CHAIN, vote('precommit', 9n, 0))).rejects.toThrow(
          'could not be written',
        );
      }
      files.crash(keepRenames);
      const restarted = await FilePrivValidator.open(inMemory(files));
      const other = vote('precommit', 1n, 0, { blockId: block('b') });
      outcomes.push(await restarted.signVote(CHAIN, other).catch(() => undefined));
      const left = new Set(outcomes.filter((one) => one !== undefined).map((one) => toHex(one.blockId.hash)));
      expect(left.size).toBeLessThanOrEqual(1);
      await expect(
        restarted.signVote(CHAIN, vote('prevote', 1n, 0, { blockId: block('c') })),
      ).rejects.toThrow();
    });
  }
}
