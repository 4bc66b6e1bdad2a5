/** The model's DataView. Outside of declared racy ranges an access is one plain access of its size. */
import { Kind, rawByte, rawFrom } from '../access.ts';
import { Native } from '../native.ts';
import { activeSession, perform } from '../session.ts';
import type { ModelSharedArrayBuffer } from './buffer.ts';
import { type ElementType, elementTypes } from './elements.ts';

/** Stands in for a `DataView` over shared memory. */
export class ModelDataView {
  readonly buffer: ModelSharedArrayBuffer;
  readonly byteOffset: number;
  readonly byteLength: number;

  constructor(buffer: ModelSharedArrayBuffer, byteOffset = 0, byteLength?: number) {
    this.buffer = buffer;
    this.byteOffset = byteOffset;
    this.byteLength = byteLength ?? buffer.byteLength - byteOffset;
    if (byteOffset < 0 || this.byteLength < 0 || byteOffset + this.byteLength > buffer.byteLength) {
      throw new RangeError(`Invalid DataView length ${this.byteLength}`);
    }
  }

  get [Symbol.toStringTag](): string {
    return 'DataView';
  }
}

const locate = (view: ModelDataView, offset: number, type: ElementType): number => {
  if (!(offset >= 0 && offset + type.bytes <= view.byteLength)) {
    throw new RangeError('Offset is outside the bounds of the DataView');
  }
  return view.buffer.at + view.byteOffset + Math.trunc(offset);
};

const swapped = (bytes: number[], littleEndian: boolean): number[] =>
  littleEndian ? bytes : bytes.reverse();

function read(at: number, size: number, littleEndian: boolean): number[] {
  const bytes: number[] = [];
  if (activeSession().isRacy(at, size)) {
    // A DataView may tear: byte by byte where races are declared.
    for (let index = 0; index < size; index++)
      bytes.push(perform(Kind.read, at + index, 1) as number);
  } else {
    const raw = perform(Kind.read, at, size);
    for (let index = 0; index < size; index++) bytes.push(rawByte(raw, index));
  }
  return swapped(bytes, littleEndian);
}

function write(at: number, size: number, bytes: number[]): void {
  if (activeSession().isRacy(at, size)) {
    for (let index = 0; index < size; index++) perform(Kind.write, at + index, 1, bytes[index]!);
  } else {
    perform(
      Kind.write,
      at,
      size,
      rawFrom((index) => bytes[index]!, 0, size),
    );
  }
}

const prototype = ModelDataView.prototype as unknown as Record<string, unknown>;
for (const type of elementTypes.values()) {
  if (type.name === 'Uint8ClampedArray') continue;
  const name = type.name.slice(0, -'Array'.length);
  prototype[`get${name}`] = function (this: ModelDataView, offset: number, littleEndian = false) {
    const bytes = read(locate(this, offset, type), type.bytes, littleEndian);
    return type.fromRaw(rawFrom((index) => bytes[index]!, 0, type.bytes));
  };
  prototype[`set${name}`] = function (
    this: ModelDataView,
    offset: number,
    value: unknown,
    littleEndian = false,
  ) {
    const raw = type.toRaw(value);
    const bytes = Array.from({ length: type.bytes }, (_, index) => rawByte(raw, index));
    write(locate(this, offset, type), type.bytes, swapped(bytes, littleEndian));
  };
}

/** Whether the value is a DataView, real or of the model. */
export const isDataView = (value: unknown): boolean =>
  value instanceof ModelDataView || value instanceof Native.DataView;
