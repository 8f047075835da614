/** A header that its validators have signed, and those validators: what a light client goes by. */
import { equalBytes } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import {
  LightBlock as LightBlockCodec,
  type LightBlock as LightBlockMessage,
  type SignedHeader as SignedHeaderMessage,
} from '../../proto/gen/tendermint/types/types.ts';
import { type Commit, commitFromMessage, commitToMessage } from './commit.ts';
import { checkHeader, type Header, headerHash } from './header.ts';
import { VALIDATORS_MAX } from './limits.ts';
import type { ValidatorSet } from './validator.ts';
import { validatorSetFromMessage, validatorSetToMessage, validatorsHash } from './validator-set.ts';

/** Entries of a full commit, and as many validators. */
const LIGHT_BLOCK_ELEMENTS_MAX = 2 * VALIDATORS_MAX;

/** A header and the precommits for it (tendermint.types.SignedHeader). */
export interface SignedHeader {
  readonly header: Header;
  readonly commit: Commit;
}

/** A signed header and the validators of its height (tendermint.types.LightBlock). */
export interface LightBlock extends SignedHeader {
  readonly validators: ValidatorSet;
}

/**
 * Checks that header, commit and validators belong together: height, block hash, validators hash (CometBFT
 * `LightBlock.ValidateBasic`). No signature is checked.
 * @throws DecodeError on the first thing wrong
 */
export function checkLightBlock(block: LightBlock): LightBlock {
  checkSignedHeader(block);
  if (block.validators.validators.length === 0) throw new DecodeError('light block: no validators');
  if (!equalBytes(block.header.validatorsHash, validatorsHash(block.validators))) {
    throw new DecodeError('light block: the validators are not those of the header', {
      height: block.header.height,
    });
  }
  return block;
}

/**
 * Checks that the commit is for the header.
 * @throws DecodeError otherwise
 */
export function checkSignedHeader<T extends SignedHeader>(signed: T): T {
  const { header, commit } = signed;
  checkHeader(header);
  if (commit.height !== header.height) {
    throw new DecodeError('light block: header and commit are of different heights', {
      header: header.height,
      commit: commit.height,
    });
  }
  if (!equalBytes(headerHash(header), commit.blockId.hash)) {
    throw new DecodeError('light block: the commit is for another header', { height: header.height });
  }
  return signed;
}

/** The light block as a message. */
export function lightBlockToMessage(block: LightBlock): LightBlockMessage {
  return {
    signedHeader: { header: block.header, commit: commitToMessage(block.commit) },
    validatorSet: validatorSetToMessage(block.validators),
  };
}

/** @throws DecodeError when a part is missing, malformed, or does not belong to the others */
export function lightBlockFromMessage(message: LightBlockMessage): LightBlock {
  const { signedHeader, validatorSet } = message;
  if (signedHeader === undefined) throw new DecodeError('light block: signed header is missing');
  if (validatorSet === undefined) throw new DecodeError('light block: validators are missing');
  return checkLightBlock({
    ...signedHeaderParts(signedHeader),
    validators: validatorSetFromMessage(validatorSet),
  });
}

function signedHeaderParts(message: SignedHeaderMessage): SignedHeader {
  if (message.header === undefined) throw new DecodeError('light block: header is missing');
  if (message.commit === undefined) throw new DecodeError('light block: commit is missing');
  return { header: message.header, commit: commitFromMessage(message.commit) };
}

/** Encodes a light block. */
export function encodeLightBlock(block: LightBlock): Uint8Array {
  return LightBlockCodec.encode(lightBlockToMessage(block));
}

/** @throws DecodeError as `lightBlockFromMessage` */
export function decodeLightBlock(bytes: Uint8Array): LightBlock {
  return lightBlockFromMessage(LightBlockCodec.decode(bytes, { elementsMax: LIGHT_BLOCK_ELEMENTS_MAX }));
}
