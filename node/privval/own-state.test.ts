/** A signing state in which one bit has turned must not let the validator sign a second time. */
import { expect, test } from 'vitest';
import { EMPTY_BYTES } from '../../core/bytes.ts';
import { ed25519Signer } from '../crypto/ed25519.ts';
import { FilePrivValidator } from './file-priv-validator.ts';
import { CrashFiles } from './testing/crash-files.ts';

const SECRET = new Uint8Array(32).fill(7);
const TIME = { seconds: 1_700_000_000n, nanos: 0 };

test('no bit of it can be turned so that another step is named, or another signature held for ours', async () => {
  // In memory: to write thousands of files took three times as long as to read them.
  const files = new CrashFiles();
  const statePath = '/home/priv_validator_state.json';
  const options = { keyPath: '/home/key.json', statePath, makeSigner: ed25519Signer, files };
  const signer = await FilePrivValidator.create(SECRET, options);
  await signer.signProposal('chain', {
    height: 12n,
    round: 3,
    polRound: -1,
    blockId: { hash: new Uint8Array(32), partSetHeader: { total: 1, hash: new Uint8Array(32) } },
    timestamp: TIME,
  });
  const sound = (await files.read(statePath)) ?? EMPTY_BYTES;
  expect(sound.length).toBeGreaterThan(0);
  const { state } = await FilePrivValidator.open(options);
  expect(state).toMatchObject({ height: 12n, round: 3, step: 1 });
  for (let bit = 0; bit < sound.length * 8; bit++) {
    const turned = Uint8Array.from(sound);
    turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    await files.writeSynced(statePath, turned);
    const opened = await FilePrivValidator.open(options).catch((error: unknown) => String(error));
    if (typeof opened === 'string') expect(opened).toContain('Restore it from this machine');
    else expect(opened.state).toEqual(state);
  }
});
