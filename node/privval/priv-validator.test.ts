import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NIL_BLOCK_ID } from '../../consensus/types/block-id.ts';
import { proposalSignBytes, voteSignBytes } from '../../consensus/types/sign-bytes.ts';
import { fromHex, toBase64, toHex } from '../../core/bytes.ts';
import { type ProofParties, proofSignBytes } from '../../p2p/validator-proof.ts';
import { CanonicalVoteExtension } from '../../proto/gen/tendermint/types/canonical.ts';
import { machine } from '../environment.ts';
import { FilePrivValidator, type FilePrivValidatorOptions } from './file-priv-validator.ts';
import { compliance } from './testing/compliance.ts';
import { block, CHAIN, proposal, SECRET, vote } from './testing/requests.ts';
import { inProcess, overSocket } from './testing/rigs.ts';

const { verify, makeSigner } = machine;

compliance('file signer', { start: inProcess(machine), verify, runs: 300 });
compliance('file signer with secp256k1', {
  keyType: 'secp256k1',
  start: inProcess(machine),
  verify,
  runs: 20,
});
compliance('through a unix socket', { start: overSocket(machine, 'unix'), verify, runs: 25 });
compliance('through TCP', { start: overSocket(machine, 'tcp'), verify, runs: 25 });

const onDisk = (): FilePrivValidatorOptions => {
  const directory = mkdtempSync(join(tmpdir(), 'privval-'));
  return {
    keyPath: join(directory, 'priv_validator_key.json'),
    statePath: join(directory, 'priv_validator_state.json'),
    makeSigner,
  };
};

test('both files have CometBFT’s form', async () => {
  const options = onDisk();
  const signer = await FilePrivValidator.create(SECRET, options);
  await signer.signVote(CHAIN, vote('prevote', { height: 3n, round: 2 }));
  const key = JSON.parse(readFileSync(options.keyPath, 'utf8'));
  expect(Object.keys(key)).toEqual(['address', 'pub_key', 'priv_key']);
  expect(key.address).toBe(toHex(signer.address).toUpperCase());
  expect(key.pub_key).toEqual({
    type: 'tendermint/PubKeyEd25519',
    value: Buffer.from(signer.publicKey.bytes).toString('base64'),
  });
  expect(Buffer.from(key.priv_key.value, 'base64')).toEqual(Buffer.concat([SECRET, signer.publicKey.bytes]));
  const state = JSON.parse(readFileSync(options.statePath, 'utf8'));
  expect(state).toMatchObject({ height: '3', round: 2, step: 2 });
  expect(state.signbytes).toMatch(/^[0-9A-F]+$/);
  expect(statSync(options.keyPath).mode & 0o077).toBe(0);
});

test('a key without a state, a damaged state and an existing key are refused with what to do', async () => {
  const options = onDisk();
  await expect(FilePrivValidator.open(options)).rejects.toThrow('openledgerd init');
  await FilePrivValidator.create(SECRET, options);
  await expect(FilePrivValidator.create(SECRET, options)).rejects.toThrow('never overwritten');
  for (const text of ['', '{"height":5,"round":0,"step":0}', '{"height":"1","round":0,"step":9}', '[]']) {
    writeFileSync(options.statePath, text);
    await expect(FilePrivValidator.open(options)).rejects.toThrow('Restore it');
  }
  const elsewhere = { ...options, statePath: `${options.statePath}.missing` };
  await expect(FilePrivValidator.open(elsewhere)).rejects.toThrow('has no signing state');
  writeFileSync(options.keyPath, '{"priv_key":{"type":"tendermint/PrivKeyEd25519","value":"AAAA"}}');
  await expect(FilePrivValidator.open(options)).rejects.toThrow('cannot read the validator key');
});

interface Secp256k1Vector {
  readonly private: string;
  readonly public: string;
  readonly address: string;
  readonly message: string;
  readonly signature: string;
}
const vectorFile = join(import.meta.dirname, '../../test/vectors/secret-connection/secp256k1.json');
const secp256k1Vectors: readonly Secp256k1Vector[] = JSON.parse(readFileSync(vectorFile, 'utf8'));

test.each(secp256k1Vectors)('a secp256k1 key file signs as CometBFT: $address', async (vector) => {
  const options = onDisk();
  const privateKey = fromHex(vector.private);
  const made = await FilePrivValidator.create(privateKey, { ...options, keyType: 'secp256k1' });
  const signature = makeSigner(privateKey, 'secp256k1').sign(fromHex(vector.message));
  expect(toHex(signature)).toBe(vector.signature);
  expect(verify(made.publicKey, fromHex(vector.message), signature)).toBe(true);
  const key = JSON.parse(readFileSync(options.keyPath, 'utf8'));
  expect(key).toEqual({
    address: vector.address,
    pub_key: { type: 'tendermint/PubKeySecp256k1', value: toBase64(fromHex(vector.public)) },
    priv_key: { type: 'tendermint/PrivKeySecp256k1', value: toBase64(privateKey) },
  });
  expect((await FilePrivValidator.open(options)).publicKey).toEqual(made.publicKey);
});

test('a key file whose halves do not belong together is refused', async () => {
  const options = onDisk();
  await FilePrivValidator.create(SECRET, options);
  const text = readFileSync(options.keyPath, 'utf8');
  const other = toBase64(makeSigner(new Uint8Array(32).fill(1), 'ed25519').publicKey);
  const key = JSON.parse(text);
  writeFileSync(options.keyPath, JSON.stringify({ ...key, pub_key: { ...key.pub_key, value: other } }));
  await expect(FilePrivValidator.open(options)).rejects.toThrow('not the public half');
  const { type: _, ...value } = key.priv_key;
  const mixed = { ...key, priv_key: { type: 'tendermint/PrivKeySecp256k1', ...value } };
  writeFileSync(options.keyPath, JSON.stringify(mixed));
  await expect(FilePrivValidator.open(options)).rejects.toThrow('priv_key.value is not 32 bytes');
  writeFileSync(options.keyPath, text.replace('PrivKeyEd25519', 'PrivKeySr25519'));
  await expect(FilePrivValidator.open(options)).rejects.toThrow('priv_key.type must be');
});

const parties = fc.record({
  prover: fc.string({ maxLength: 60 }),
  asker: fc.string({ maxLength: 60 }),
  nonce: fc.uint8Array({ maxLength: 64 }),
});
const chainId = fc.string({ minLength: 1, maxLength: 50 });
const height = fc.bigInt(0n, (1n << 63n) - 1n);
const round = fc.integer({ min: 0, max: 0x7fff_ffff });
const at = fc.record({ height, round });
const blockId = fc.constantFrom(block('a'), NIL_BLOCK_ID);
/** Whatever else a consensus key signs. */
const otherBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc
    .tuple(chainId, fc.constantFrom('prevote' as const, 'precommit' as const), at, blockId)
    .map(([chain, type, place, id]) => voteSignBytes(chain, vote(type, place, { blockId: id }))),
  fc
    .tuple(chainId, height, round, blockId)
    .map(([chain, h, r, id]) => proposalSignBytes(chain, proposal(h, r, id))),
  fc
    .tuple(chainId, height, round, fc.uint8Array({ maxLength: 300 }))
    .map(([chain, h, r, extension]) =>
      CanonicalVoteExtension.encodeDelimited({ extension, height: h, round: BigInt(r), chainId: chain }),
    ),
);

test('a proof of the key is never also a vote, a proposal or an extension, nor the other way round', () => {
  fc.assert(
    fc.property(chainId, parties, otherBytes, (chain, who, other) => {
      expect(proofSignBytes(chain, who)[0]).toBe(0);
      expect(other[0]).not.toBe(0);
    }),
    { numRuns: 5_000 },
  );
});

test.each(['ed25519', 'secp256k1'] as const)(
  '%s: a signature for one is none for the other',
  async (keyType) => {
    const signer = await FilePrivValidator.create(SECRET, { ...onDisk(), keyType });
    const before = signer.state;
    const who: ProofParties = { prover: 'node1', asker: 'node2', nonce: new Uint8Array(32).fill(3) };
    const proof = await signer.signValidatorProof(CHAIN, who);
    expect(verify(signer.publicKey, proofSignBytes(CHAIN, who), proof)).toBe(true);
    expect(signer.state).toBe(before);
    const cast = await signer.signVote(CHAIN, vote('precommit', { height: 5n, round: 0 }));
    expect(verify(signer.publicKey, proofSignBytes(CHAIN, who), cast.signature)).toBe(false);
    // A caller chooses every text and byte of a proof: none of them makes it the vote's.
    const forged = { prover: '', asker: '', nonce: voteSignBytes(CHAIN, cast) };
    for (const chain of [CHAIN, '']) {
      const signature = await signer.signValidatorProof(chain, forged);
      expect(verify(signer.publicKey, voteSignBytes(CHAIN, cast), signature)).toBe(false);
    }
    // Nor does it move the guard.
    await expect(signer.signVote(CHAIN, vote('prevote', { height: 4n, round: 0 }))).rejects.toThrow(
      'later step',
    );
  },
);

test('a signer in another process gives no proof', async () => {
  const { signer, close } = await overSocket(machine, 'unix')('ed25519');
  expect(signer.signValidatorProof).toBeUndefined();
  await close();
});
