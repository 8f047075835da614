/**
 * Puts together what a verifier needs: it is asked to derive, says which row it lacks, gets that with its
 * proof, and so on; so a bundle has just what is needed, and what is printed is what was verified.
 */
import { fromHex, toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { headerFields, headerHash } from '../../consensus/types/header.ts';
import type { Header } from '../../consensus/types/header.ts';
import type {
  Bundle,
  Derived,
  EpochPart,
  Evidence,
  ProvedState,
  ProvedStore,
  Target,
  TrustedBlock,
} from '../../client/verifier/types.ts';
import { BUNDLE_FORM, bundleText, derive, verifyBundle } from '../../client/verifier/verify-payout.ts';
import type { ExplainChain } from './chain.ts';
import { claimBytes } from './claims.ts';
import { evidenceOf, MissingClaim, MissingRow } from './evidence.ts';
import { type FetchedRow, fetchRow } from './rows.ts';

/** What is explained and what of epochs is known besides the chain. */
export interface Question {
  readonly targets: readonly Target[];
  /** Of the state that is read. */
  readonly height: bigint;
  readonly epochs: readonly EpochPart[];
  readonly attributions: readonly string[];
}

/** A verified answer with its proofs. */
export interface Explained {
  readonly derived: readonly Derived[];
  /** Of a bundle. */
  readonly text: string;
  readonly trusted: TrustedBlock;
}

/** Most rows of a bundle. */
const ROWS_MAX = 100_000;
const HEADER_TRIES = 40;
const HEADER_WAIT_MS = 250;

/**
 * @throws Refused when what the node says does not prove it, LedgerError when it does not say it: `explain.query`
 */
export async function collect(chain: ExplainChain, question: Question): Promise<Explained> {
  const { targets, height, epochs, attributions } = question;
  const found: Found = { rows: new Map(), claims: [] };
  const evidence = evidenceOf({ height, claims: found.claims, epochs, attributions }, (name) => {
    const known = found.rows.get(idOf(name));
    if (known === undefined) throw new MissingRow(name);
    return fromHex(known.row.found?.value ?? '');
  });
  for (const target of targets) while (!(await derived(chain, { target, evidence, found })));
  const { states, trusted } = await statesOf(chain, height, [...found.rows.values()]);
  const bundle: Bundle = {
    form: BUNDLE_FORM,
    states,
    targets: inOrder(targets, (target) => JSON.stringify(target)),
    claims: found.claims.toSorted(),
    epochs: inOrder(epochs, ({ epoch, row }) => `${epoch}/${row}`),
    attributions: attributions.toSorted(),
  };
  const text = bundleText(bundle);
  return { derived: verifyBundle(text, trusted), text, trusted };
}

/** As a bundle wants what has no order of its own. */
function inOrder<T>(list: readonly T[], textOf: (each: T) => string): readonly T[] {
  return list.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
}

interface Found {
  readonly rows: Map<string, FetchedRow>;
  /** Hexadecimal. */
  readonly claims: string[];
}

const idOf = ({ height, store, key }: FetchedRow['name']): string => `${height}/${store}/${key}`;

/** True when nothing is missing; else what was missing is there now. */
async function derived(
  chain: ExplainChain,
  {
    target,
    evidence,
    found,
  }: { readonly target: Target; readonly evidence: Evidence; readonly found: Found },
): Promise<boolean> {
  try {
    derive(evidence, target);
    return true;
  } catch (error) {
    if (error instanceof MissingRow) {
      if (found.rows.size >= ROWS_MAX)
        throw new LedgerError('explain.too_long', `this rests on more than ${ROWS_MAX} rows: ask for less`);
      found.rows.set(idOf(error.at), await fetchRow(chain, error.at));
    } else if (error instanceof MissingClaim) found.claims.push(await claimText(chain, error));
    else throw error;
    return false;
  }
}

async function claimText(chain: ExplainChain, { id, hash }: MissingClaim): Promise<string> {
  const bytes = await claimBytes(chain, id, fromHex(hash));
  if (bytes !== undefined) return toHex(bytes);
  throw new LedgerError(
    'explain.claim',
    `the node has no transaction with claim ${id}: ask one that keeps its block`,
  );
}

/** Rows by state and store, under the headers that have the app hashes. */
async function statesOf(
  chain: ExplainChain,
  height: bigint,
  rows: readonly FetchedRow[],
): Promise<{ readonly states: readonly ProvedState[]; readonly trusted: TrustedBlock }> {
  const heights = [...new Set([...rows.map(({ name }) => name.height), height])].sort((a, b) =>
    a < b ? -1 : 1,
  );
  const states: ProvedState[] = [];
  let last: Header | undefined;
  for (const at of heights) {
    last = await headerOf(chain, at + 1n);
    const stores = storesOf(rows.filter(({ name }) => name.height === at));
    states.push({ header: headerFields(last).map(toHex), stores });
  }
  if (last === undefined) throw new LedgerError('explain.header', 'there is no header');
  return { states, trusted: { height: height + 1n, hash: toHex(headerHash(last)) } };
}

function storesOf(rows: readonly FetchedRow[]): readonly ProvedStore[] {
  const names = [...new Set(rows.map(({ name }) => name.store))].sort();
  return names.flatMap((name) => {
    const own = rows.filter((row) => row.name.store === name);
    const [first] = own;
    return first === undefined
      ? []
      : [
          {
            ...first.store,
            rows: inOrder(
              own.map(({ row }) => row),
              ({ key }) => key,
            ),
          },
        ];
  });
}

/** The header of a block, which on an idle chain may still be to come. */
async function headerOf(chain: ExplainChain, height: bigint): Promise<Header> {
  for (let i = 0; i < HEADER_TRIES; i++) {
    const header = await chain.header(height);
    if (header !== undefined) return header;
    await new Promise((resolve) => setTimeout(resolve, HEADER_WAIT_MS));
  }
  throw new LedgerError(
    'explain.header',
    `block ${height}, whose header has the hash of the state after ${height - 1n}, is not there yet`,
  );
}
