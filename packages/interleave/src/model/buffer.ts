/** The model's SharedArrayBuffer: an address range in the session's one address space. */
import { ScenarioError, UnmodelledError } from '../errors.ts';
import { activeSession } from '../session.ts';

/** Stands in for `SharedArrayBuffer` while a check runs. Growable buffers aren't modelled. */
export class ModelSharedArrayBuffer {
  readonly byteLength: number;
  /** First byte in the session's address space. */
  readonly at: number;
  readonly growable = false;

  constructor(byteLength = 0, options?: { maxByteLength?: number }) {
    if (options?.maxByteLength !== undefined) {
      throw new UnmodelledError('growable SharedArrayBuffers are not modelled');
    }
    if (!Number.isInteger(byteLength) || byteLength < 0) {
      throw new ScenarioError(
        `byteLength must be a non-negative integer: byteLength=${byteLength}`,
      );
    }
    this.byteLength = byteLength;
    this.at = activeSession().allocate(byteLength);
  }

  get maxByteLength(): number {
    return this.byteLength;
  }

  get [Symbol.toStringTag](): string {
    return 'SharedArrayBuffer';
  }

  grow(): never {
    throw new UnmodelledError('SharedArrayBuffer.prototype.grow is not modelled');
  }

  slice(): never {
    throw new UnmodelledError(
      'SharedArrayBuffer.prototype.slice is not modelled: copy through a view',
    );
  }

  static get [Symbol.species](): typeof ModelSharedArrayBuffer {
    return ModelSharedArrayBuffer;
  }
}
