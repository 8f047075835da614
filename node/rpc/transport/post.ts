/** JSON-RPC in the body of a POST: a request or a batch of them. */
import type { RpcConfig } from '../config.ts';
import type { Dispatcher } from '../dispatcher.ts';
import { RpcError } from '../errors.ts';
import { errorText, NO_ID, readRequests } from '../message.ts';

const PARSE_ERROR = -32_700;

/** What a body is answered with. */
export interface PostAnswer {
  /** Of HTTP. */
  readonly status: number;
  readonly text: string;
  readonly cacheable: boolean;
}

/** Answers a body; never throws. */
export async function answerPost(
  { dispatcher, config }: { readonly dispatcher: Dispatcher; readonly config: RpcConfig },
  { remote, body }: { readonly remote: string; readonly body: string },
): Promise<PostAnswer> {
  let requests: ReturnType<typeof readRequests>['requests'];
  try {
    requests = readRequests(body, config).requests;
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    // CometBFT answers what is no JSON with status 500, and a batch that is too long with 200.
    const status = error.code === PARSE_ERROR ? 500 : 200;
    return { status, text: errorText(NO_ID, error), cacheable: false };
  }
  const answers = await Promise.all(
    requests.map((call) => dispatcher.answerRequest(call, { remote, connection: undefined, id: call.id })),
  );
  const [first] = answers;
  if (first === undefined) return { status: 200, text: '', cacheable: false };
  return {
    status: 200,
    // A batch of one is answered as if it were none, as CometBFT does.
    text: answers.length === 1 ? first.text : `[${answers.map((answer) => answer.text).join(',')}]`,
    cacheable: answers.every((answer) => answer.cacheable),
  };
}
