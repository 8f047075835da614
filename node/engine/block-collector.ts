import type { ValidateValue } from '../../consensus/output.ts';
import type { PartSetHeader } from '../../consensus/types/block-id.ts';
import type { Part } from '../../consensus/types/part-set.ts';
import { messageOf } from '../../core/errors.ts';
import { type BlockAssembly, headerKey } from './block-assembly.ts';
import type { EngineEvents } from './events.ts';
import type { ConsensusLog } from './ports.ts';
import { partRecord } from './wal-codec.ts';

/** What collecting needs. */
export interface CollectorPorts {
  readonly assembly: BlockAssembly;
  readonly log: Pick<ConsensusLog, 'append'>;
  readonly events: EngineEvents;
}

/** The blocks of a height that are collected from peers, and which of them the core waits for. */
export class BlockCollector {
  readonly #ports: CollectorPorts;
  #requests = new Map<string, ValidateValue>();

  constructor(ports: CollectorPorts) {
    this.#ports = ports;
  }

  /** Begins a height. */
  reset(): void {
    this.#requests = new Map();
  }

  /** Collects a block that the core wants judged; as `collect`. */
  want(request: ValidateValue): string | undefined {
    const header = request.blockId.partSetHeader;
    const impossible = this.collect(header, request.height);
    if (impossible === undefined) this.#requests.set(headerKey(header), request);
    return impossible;
  }

  /** Collects the parts of a block; what is wrong with its header, when no block can be behind it. */
  collect(header: PartSetHeader, height: bigint): string | undefined {
    try {
      for (const part of this.#ports.assembly.want(header)) this.took(header, part, height);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** A part was verified and is held: it is logged, and told. */
  took(header: PartSetHeader, part: Part, height: bigint): void {
    this.#ports.log.append(partRecord(part));
    this.#ports.events.tell({ kind: 'blockPart', height, header, index: part.index });
  }

  /** Why the core waits for that block, once: undefined when it does not. */
  takeRequest(header: PartSetHeader): ValidateValue | undefined {
    const key = headerKey(header);
    const request = this.#requests.get(key);
    this.#requests.delete(key);
    return request;
  }
}
