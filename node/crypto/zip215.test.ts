/**
 * ed25519 by ZIP-215 wherever a consensus signature is verified: a node that is stricter or laxer than
 * others on one odd signature forks from them.
 */
import { createPublicKey, verify as opensslVerify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUvarint } from '../../core/varint.ts';
import { verifyDuplicateVote } from '../../consensus/types/duplicate-vote.ts';
import { verifyProposal } from '../../consensus/types/proposal.ts';
import { addressOf } from '../../consensus/types/public-key.ts';
import {
  LIGHT_TRUST_LEVEL,
  verifyCommit,
  verifyCommitLight,
  verifyCommitLightTrusting,
} from '../../consensus/types/verify-commit.ts';
import { type Vote, verifyVote } from '../../consensus/types/vote.ts';
import { concatBytes, EMPTY_BYTES, fromHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { verifySignature as verifyWithNoble } from '../../light/verify-signature.ts';
import { machine } from '../environment.ts';
import { ed25519Signer, verifyEd25519 } from './ed25519.ts';

interface Verdict {
  readonly name: string;
  readonly public_key: string;
  readonly message: string;
  readonly signature: string;
  readonly valid: boolean;
}
const file = join(import.meta.dirname, '../../test/vectors/ed25519/verdicts.json');
const secp256k1File = join(
  import.meta.dirname,
  '../../test/vectors/secret-connection/secp256k1-verdicts.json',
);
const verdicts: readonly Verdict[] = JSON.parse(readFileSync(file, 'utf8'));

const SPKI_PREFIX = fromHex('302a300506032b6570032100');
function openssl(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    const der = Buffer.concat([SPKI_PREFIX, publicKey]);
    return opensslVerify(
      null,
      message,
      createPublicKey({ key: der, format: 'der', type: 'spki' }),
      signature,
    );
  } catch {
    return false;
  }
}
const noble = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: true });
  } catch {
    return false;
  }
};
const parts = (one: Verdict) =>
  [fromHex(one.public_key), fromHex(one.message), fromHex(one.signature)] as const;

describe('published edge cases', () => {
  test('our verdict is CometBFT’s on each of them', () => {
    const wrong = verdicts.filter((one) => verifyEd25519(...parts(one)) !== one.valid);
    expect(wrong.map(({ name }) => name)).toEqual([]);
    expect(verdicts.filter(({ valid }) => valid)).toHaveLength(286);
  });

  test('so is that of the verifier that the node hands to consensus, execution, evidence and block sync', () => {
    for (const one of verdicts) {
      const [bytes, message, signature] = parts(one);
      const verdict = machine.verify({ type: 'ed25519', bytes }, message, signature);
      expect(verdict, one.name).toBe(one.valid);
    }
  });

  test('OpenSSL alone would differ, and never by accepting more', () => {
    const accepted = verdicts.filter((one) => openssl(...parts(one)));
    expect(accepted.filter(({ valid }) => !valid)).toEqual([]);
    expect(accepted.length).toBeLessThan(286 - 100);
  });

  test('@noble/curves decides by the same rule, and so does the light client, which uses nothing else', () => {
    for (const one of verdicts) {
      const [bytes, message, signature] = parts(one);
      expect(verifyWithNoble({ type: 'ed25519', bytes }, message, signature), one.name).toBe(one.valid);
    }
  });
});

test('secp256k1 as CometBFT: high s, zeros, overflows, wrong lengths, keys that are none', () => {
  const edge: readonly Verdict[] = JSON.parse(readFileSync(secp256k1File, 'utf8'));
  for (const one of edge) {
    const [bytes, message, signature] = parts(one);
    for (const verify of [machine.verify, verifyWithNoble]) {
      expect(verify({ type: 'secp256k1', bytes }, message, signature), one.name).toBe(one.valid);
    }
  }
  expect(edge.filter(({ valid }) => valid)).toHaveLength(4);
});

// The eight points of small order, and encodings of y ≥ p and of -0 that decode to some of them.
const ODD_POINTS: readonly string[] = [
  ...new Set(verdicts.filter(({ name }) => name.startsWith('zip215')).map((one) => one.public_key)),
];
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const littleEndian = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(32);
  for (let at = 0, rest = value; at < 32; at++, rest >>= 8n) bytes[at] = Number(rest & 255n);
  return bytes;
};

test('what OpenSSL accepts ZIP-215 accepts: odd keys, odd R, true and torsioned signatures, high s', () => {
  const { Point } = ed25519;
  const signer = ed25519Signer(sha256(utf8('zip215')));
  const own = Point.fromBytes(signer.publicKey);
  const odd = ODD_POINTS.map((hex) => fromHex(hex));
  const key = fc.oneof(
    fc.constantFrom(...odd),
    fc.constantFrom(...odd).map((bytes) => own.add(Point.fromBytes(bytes, true)).toBytes()),
    fc.constant(signer.publicKey),
  );
  let accepted = 0;
  let onlyZip215 = 0;
  fc.assert(
    fc.property(key, fc.nat(500), fc.constantFrom(...odd), fc.nat(5), (publicKey, seed, point, kind) => {
      const message = encodeUvarint(BigInt(seed));
      const true_ = signer.sign(message);
      const s = BigInt(`0x${Buffer.from(true_.subarray(32)).reverse().toString('hex')}`);
      const signature = [
        true_,
        concatBytes(point, littleEndian(0n)),
        concatBytes(true_.subarray(0, 32), littleEndian(s + L)),
        concatBytes(point, true_.subarray(32)),
        concatBytes(
          Point.fromBytes(true_.subarray(0, 32)).add(Point.fromBytes(point, true)).toBytes(),
          true_.subarray(32),
        ),
        concatBytes(point, littleEndian(L)),
      ][kind] as Uint8Array;
      const native = openssl(publicKey, message, signature);
      const rule = noble(publicKey, message, signature);
      if (native) expect(rule).toBe(true);
      expect(verifyEd25519(publicKey, message, signature)).toBe(rule);
      accepted += native ? 1 : 0;
      onlyZip215 += rule && !native ? 1 : 0;
    }),
    { numRuns: 300, seed: 215 }, // the counts below are of these cases
  );
  expect(accepted).toBeGreaterThan(10);
  expect(onlyZip215).toBeGreaterThan(10);
});

/** Keys and signatures that are good for any message by ZIP-215, and that OpenSSL refuses. */
const FOR_ANY_MESSAGE = verdicts
  .filter(({ name }) => name.startsWith('zip215'))
  .filter((one) => !openssl(...parts(one)))
  .filter((_, index) => index % 12 === 0);

describe.each(FOR_ANY_MESSAGE)('every check of a consensus signature goes by ZIP-215: $name', (one) => {
  const { verify } = machine;
  const publicKey = { type: 'ed25519', bytes: fromHex(one.public_key) } as const;
  const address = addressOf(publicKey);
  const validator = { address, publicKey, votingPower: 1n, proposerPriority: 0n };
  const validators = { validators: [validator], proposer: validator, totalVotingPower: 1n };
  const chainId = 'zip215';
  const timestamp = { seconds: 5n, nanos: 0 };
  const signature = fromHex(one.signature);
  const blockId = { hash: sha256(utf8('a')), partSetHeader: { total: 1, hash: sha256(utf8('b')) } };
  const vote: Vote = {
    ...{ type: 'precommit', height: 3n, round: 0, blockId, timestamp, signature },
    ...{ validatorAddress: address, validatorIndex: 0 },
    ...{ extension: EMPTY_BYTES, extensionSignature: EMPTY_BYTES },
  };
  const entry = { blockIdFlag: 'commit', validatorAddress: address, timestamp, signature } as const;
  const commit = { height: 3n, round: 0, blockId, signatures: [entry] };
  const check = { chainId, validators, height: 3n, blockId, commit, verify };

  test('votes, proposals', () => {
    expect(verifyVote(vote, { chainId, validators, verify })).toBe(true);
    const proposal = { height: 3n, round: 0, polRound: -1, blockId, timestamp, signature };
    expect(verifyProposal(proposal, { chainId, proposer: validator, verify })).toBe(true);
  });

  test('commits: of blocks, of light blocks, trusting', () => {
    verifyCommit(check);
    verifyCommitLight(check);
    verifyCommitLightTrusting({ chainId, trusted: validators, commit, level: LIGHT_TRUST_LEVEL, verify });
  });

  test('evidence of two votes', () => {
    const voteB = { ...vote, blockId: { ...blockId, hash: sha256(utf8('c')) } };
    const powers = { totalVotingPower: 1n, validatorPower: 1n };
    const evidence = { kind: 'duplicateVote', voteA: vote, voteB, ...powers, timestamp } as const;
    verifyDuplicateVote(evidence, { chainId, validators, verify });
  });
});
