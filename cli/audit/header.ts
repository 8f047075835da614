/** What a header says of the chain before it, held against what the replay knows. */
import type { BlockContext } from '../../consensus/types/block-rules.ts';
import type { BlockId } from '../../consensus/types/block-id.ts';
import type { Header } from '../../consensus/types/header.ts';
import { consensusParamsHash } from '../../consensus/types/params.ts';
import { validatorsHash } from '../../consensus/types/validator-set.ts';
import { toUpperHex } from '../../core/bytes.ts';
import type { Difference } from './difference.ts';

/** A statement of a header, as text, from both sides. */
interface Statement {
  readonly what: string;
  readonly chain: string;
  readonly replay: string;
  /** It tells of the block before. */
  readonly ofLastBlock?: boolean;
}

/** The first statement of a header that is not true; undefined when all are. */
export function headerDifference(header: Header, context: BlockContext): Difference | undefined {
  const wrong = statementsOf(header, context).find(({ chain, replay }) => chain !== replay);
  if (wrong === undefined) return undefined;
  const { ofLastBlock = false, ...statement } = wrong;
  const height = ofLastBlock && header.height > context.initialHeight ? header.height - 1n : header.height;
  return { height, ...statement };
}

function statementsOf(header: Header, context: BlockContext): readonly Statement[] {
  const { validators, nextValidators, consensusParams } = context;
  const hashes = (what: string, chain: Uint8Array, replay: Uint8Array): Statement => ({
    what,
    chain: toUpperHex(chain),
    replay: toUpperHex(replay),
  });
  return [
    { what: 'chain id', chain: header.chainId, replay: context.chainId },
    { what: 'height', chain: header.height.toString(), replay: context.height.toString() },
    { what: 'last block id', chain: idText(header.lastBlockId), replay: idText(context.lastBlockId) },
    { ...hashes('app hash', header.appHash, context.appHash), ofLastBlock: true },
    { ...hashes('results hash', header.lastResultsHash, context.lastResultsHash), ofLastBlock: true },
    hashes('validators hash', header.validatorsHash, validatorsHash(validators)),
    hashes('next validators hash', header.nextValidatorsHash, validatorsHash(nextValidators)),
    hashes('consensus parameters hash', header.consensusHash, consensusParamsHash(consensusParams)),
  ];
}

/** Hash of the header and of the parts. */
function idText({ hash, partSetHeader }: BlockId): string {
  return `${toUpperHex(hash)}:${partSetHeader.total}:${toUpperHex(partSetHeader.hash)}`;
}
