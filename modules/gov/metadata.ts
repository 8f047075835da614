/** Metadata that says the same as the proposal, where it is JSON in the form that the SDK recommends. */
import { LedgerError } from '../../core/errors.ts';
import { StateError } from '../../framework/errors.ts';
import { JsonReader, type JsonValue, parseJson } from '../../framework/json.ts';
import type { MsgSubmitProposal } from '../../proto/gen/cosmos/gov/v1/tx.ts';
import { govErrors } from './errors.ts';

const TEXTS = ['title', 'summary', 'details', 'proposal_forum_url', 'vote_option_context'] as const;

/** @throws StateError (gov 5) when the metadata names another title or summary */
export function checkMetadata({
  metadata,
  title,
  summary,
}: Pick<MsgSubmitProposal, 'metadata' | 'title' | 'summary'>): void {
  const named = metadata === '' ? undefined : readMetadata(metadata);
  if (named === undefined) return;
  for (const [name, own] of [
    ['title', title],
    ['summary', summary],
  ] as const) {
    const other = named.get(name) ?? '';
    if (other !== own)
      throw new StateError(
        govErrors.invalidProposalContent,
        `metadata ${name} '${other}' must equal proposal ${name} '${own}'`,
      );
  }
}

/** The texts in it; undefined when it is no JSON of that form. Names count in any case, as Go reads them. */
function readMetadata(metadata: string): ReadonlyMap<string, string> | undefined {
  try {
    const json = parseJson(metadata);
    const texts = new Map<string, string>();
    if (json === null) return texts;
    for (const [key, value] of Object.entries(new JsonReader(json, '').object())) {
      const name = key.toLowerCase();
      const reader = new JsonReader(value, name);
      if (name === 'authors') readAuthors(reader);
      if (TEXTS.some((text) => text === name) && isPresent(value)) texts.set(name, reader.text());
    }
    return texts;
  } catch (error) {
    if (error instanceof LedgerError) return undefined;
    throw error;
  }
}

function isPresent(value: JsonValue): boolean {
  return value !== null;
}

function readAuthors(json: JsonReader): void {
  for (const author of json.elements()) if (author.present) author.text();
}
