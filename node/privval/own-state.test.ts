/** A signing state in which one bit has turned must not let the validator sign a second time. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ed25519Signer } from '../crypto/ed25519.ts';
import { FilePrivValidator } from './file-priv-validator.ts';

const SECRET = new Uint8Array(32).fill(7);
const TIME = { seconds: 1_700_000_000n, nanos: 0 };

test('no bit of it can be turned so that another step is named, or another signature held for ours', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'own-state-'));
  const statePath = join(directory, 'priv_validator_state.json');
  const options = { keyPath: join(directory, 'key.json'), statePath, makeSigner: ed25519Signer };
  const signer = await FilePrivValidator.create(SECRET, options);
  await signer.signProposal('chain', {
    height: 12n,
    round: 3,
    polRound: -1,
    blockId: { hash: new Uint8Array(32), partSetHeader: { total: 1, hash: new Uint8Array(32) } },
    timestamp: TIME,
  });
  const sound = readFileSync(statePath);
  const { state } = await FilePrivValidator.open(options);
  expect(state).toMatchObject({ height: 12n, round: 3, step: 1 });
  for (let bit = 0; bit < sound.length * 8; bit++) {
    const turned = Uint8Array.from(sound);
    turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    writeFileSync(statePath, turned);
    const opened = await FilePrivValidator.open(options).catch((error: unknown) => String(error));
    if (typeof opened === 'string') expect(opened).toContain('Restore it from this machine');
    else expect(opened.state).toEqual(state);
  }
  rmSync(directory, { recursive: true });
});
