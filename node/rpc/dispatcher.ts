/**
 * Calls methods: finds them, reads their parameters, turns whatever they throw into an error that says what
 * was wrong.
 */
import { LedgerError, messageOf } from '../../core/errors.ts';
import { isDamage } from '../checksum.ts';
import { DamageLog } from '../damage-log.ts';
import { internalError, invalidParams, methodNotFound, ParamError, RpcError } from './errors.ts';
import { errorText, type RpcRequest, successText } from './message.ts';
import type { CallContext, Method, ReadParams } from './method.ts';
import { paramsFromJson } from './params.ts';
import type { RpcLogger } from './ports.ts';

/** An answer, ready to be sent. */
export interface Answer {
  readonly text: string;
  readonly isError: boolean;
  readonly cacheable: boolean;
}

/** What a dispatcher is made of. */
export interface DispatcherOptions {
  readonly methods: readonly Method[];
  readonly logger: RpcLogger;
}

/** The table of methods at work. */
export class Dispatcher {
  readonly methods: readonly Method[];
  readonly #byName: ReadonlyMap<string, Method>;
  readonly #logger: RpcLogger;
  readonly #damage: DamageLog;

  constructor(options: DispatcherOptions) {
    this.methods = options.methods;
    this.#byName = new Map(options.methods.map((method) => [method.name, method]));
    this.#logger = options.logger;
    this.#damage = new DamageLog(options.logger);
  }

  find(name: string): Method | undefined {
    return this.#byName.get(name);
  }

  /** Answers a request of a POST body or of a websocket message. Never throws. */
  async answerRequest(request: RpcRequest, context: CallContext): Promise<Answer> {
    const method = this.#byName.get(request.method);
    if (method === undefined || (method.websocketOnly && context.connection === undefined)) {
      return failed(context.id, methodNotFound());
    }
    return await this.call(method, context, {
      read: (schema) => paramsFromJson(schema, request.params),
      // Over a websocket CometBFT reports bad parameters as an internal error.
      paramError: (message) => {
        const data = `error converting json params to arguments: ${message}`;
        return context.connection === undefined ? invalidParams(data) : internalError(data);
      },
    });
  }

  /** Calls a method. Never throws. */
  async call(
    method: Method,
    context: CallContext,
    params: { readonly read: ReadParams; readonly paramError: (message: string) => RpcError },
  ): Promise<Answer> {
    try {
      const { result, cacheable } = method.call(params.read, context);
      const value = result instanceof Promise ? await result : result;
      return { text: successText(context.id, value), isError: false, cacheable };
    } catch (error) {
      if (error instanceof ParamError) return failed(context.id, params.paramError(error.message));
      return failed(context.id, this.#errorOf(method, error));
    }
  }

  #errorOf(method: Method, error: unknown): RpcError {
    if (error instanceof RpcError) return error;
    if (isDamage(error)) this.#damage.tell(error);
    if (!(error instanceof LedgerError)) {
      this.#logger.error({ method: method.name, error }, 'a method failed unexpectedly');
    }
    return internalError(messageOf(error));
  }
}

function failed(id: string, error: RpcError): Answer {
  return { text: errorText(id, error), isError: true, cacheable: false };
}
