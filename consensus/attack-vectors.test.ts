/** Light-client attacks against the verdicts of CometBFT v0.38.21 (`test/vectors/cometbft/README.md`). */
import { createPublicKey, verify as nodeVerify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../core/bytes.ts';
import { DecodeError, LedgerError } from '../core/errors.ts';
import { SignedHeader as SignedHeaderMessage } from '../proto/gen/tendermint/types/types.ts';
import { commitFromMessage } from './types/commit.ts';
import { decodeEvidence, encodeEvidence, evidenceBytes, evidenceHash } from './types/evidence.ts';
import {
  byzantineValidators,
  type LightClientAttackEvidence,
  verifyLightClientAttack,
} from './types/light-client-attack.ts';
import {
  checkSignedHeader,
  decodeLightBlock,
  encodeLightBlock,
  type SignedHeader,
} from './types/light-block.ts';
import type { VerifySignature } from './types/public-key.ts';
import type { ValidatorSet } from './types/validator.ts';
import { decodeValidatorSet } from './types/validator-set.ts';

interface Case {
  readonly name: string;
  readonly evidence: string;
  readonly bytes: string;
  readonly hash: string;
  readonly common: string;
  readonly trusted: string;
  readonly valid: boolean;
  readonly error?: string;
  readonly blame: readonly string[];
}

const { chainId, cases }: { chainId: string; cases: readonly Case[] } = JSON.parse(
  readFileSync(new URL('../test/vectors/cometbft/attacks.json', import.meta.url), 'utf8'),
);

const verify: VerifySignature = (publicKey, message, signature) => {
  if (publicKey.type === 'secp256k1')
    return signature.length === 64 && secp256k1.verify(signature, message, publicKey.bytes);
  const x = Buffer.from(publicKey.bytes).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return nodeVerify(null, message, key, signature);
};

/**
 * CometBFT v0.38.21 refuses every amnesia attack that came over the wire, even one that blames nobody: it
 * compares an empty list with a missing one. Here one that blames nobody is taken: it is proof of the fork.
 */
const DIFFERENT = ['amnesia'];

interface Given {
  readonly evidence: LightClientAttackEvidence;
  readonly trusted: SignedHeader;
  readonly common: ValidatorSet;
}

function read(vector: Case): Given {
  const evidence = decodeEvidence(fromHex(vector.evidence));
  const message = SignedHeaderMessage.decode(fromHex(vector.trusted));
  if (evidence.kind !== 'lightClientAttack' || !message.header || !message.commit) throw new Error('vector');
  return {
    evidence,
    trusted: checkSignedHeader({ header: message.header, commit: commitFromMessage(message.commit) }),
    common: decodeValidatorSet(fromHex(vector.common)),
  };
}

/** Undefined when the evidence is taken. */
function refusalOf(vector: Case): string | undefined {
  try {
    const { evidence, ...against } = read(vector);
    verifyLightClientAttack(evidence, { chainId, verify, ...against });
    return undefined;
  } catch (error) {
    if (error instanceof LedgerError || error instanceof DecodeError) return error.message;
    throw error;
  }
}

describe('light-client attacks', () => {
  it.each(cases.map((vector) => [vector.name, vector] as const))(
    '%s: the verdict is CometBFT’s',
    (name, vector) => {
      const expected = vector.valid || DIFFERENT.includes(name);
      expect({ refused: refusalOf(vector) !== undefined }).toEqual({ refused: !expected });
    },
  );

  it.each(cases.filter(({ valid }) => valid).map((vector) => [vector.name, vector] as const))(
    '%s: bytes, id and blame are CometBFT’s',
    (_, vector) => {
      const { evidence, ...against } = read(vector);
      expect(toHex(encodeEvidence(evidence))).toBe(vector.evidence);
      expect(toHex(evidenceBytes(evidence))).toBe(vector.bytes);
      expect(toHex(evidenceHash(evidence))).toBe(vector.hash);
      const blame = byzantineValidators(evidence.conflictingBlock, against);
      expect(blame.map(({ address }) => toHex(address))).toEqual(vector.blame);
      const bytes = encodeLightBlock(evidence.conflictingBlock);
      expect(encodeLightBlock(decodeLightBlock(bytes))).toEqual(bytes);
    },
  );

  it('is of one chain', () => {
    const [first] = cases;
    if (first === undefined) throw new Error('no vectors');
    const { evidence, ...against } = read(first);
    expect(() => verifyLightClientAttack(evidence, { chainId: 'other', verify, ...against })).toThrow(
      'another chain',
    );
  });
});
