import { XdrError, XdrReader, XdrWriter } from './bytes.js'

/** One type both ways: how it is written, and how it is read. */
export interface Codec<T> {
  write(writer: XdrWriter, value: T): void
  read(reader: XdrReader): T
}

/** A type that is only ever read. */
export type Decoder<T> = Pick<Codec<T>, 'read'>

export type CodecValue<C> = C extends Codec<infer T> ? T : never

/** @throws XdrError where the value does not fit its type. */
export function encode<T>(codec: Codec<T>, value: T): Buffer {
  const writer = new XdrWriter()
  codec.write(writer, value)
  return writer.finish()
}

/** @throws XdrError unless the bytes are exactly one value of the type, with nothing after it. */
export function decode<T>(codec: Decoder<T>, bytes: Buffer): T {
  const reader = new XdrReader(bytes)
  const value = codec.read(reader)
  if (reader.remaining > 0) throw new XdrError(`${reader.remaining} bytes left over`)
  return value
}

/** No bytes at all: a call without arguments, a reply without a result. */
export const nothing: Codec<void> = { write: () => undefined, read: () => undefined }

export const int: Codec<number> = { write: (writer, value) => writer.writeInt(value), read: (reader) => reader.readInt() }

export const uint: Codec<number> = { write: (writer, value) => writer.writeUint(value), read: (reader) => reader.readUint() }

export const hyper: Codec<bigint> = { write: (writer, value) => writer.writeHyper(value), read: (reader) => reader.readHyper() }

export const uhyper: Codec<bigint> = {
  write: (writer, value) => writer.writeUhyper(value),
  read: (reader) => reader.readUhyper(),
}

export const double: Codec<number> = {
  write: (writer, value) => writer.writeDouble(value),
  read: (reader) => reader.readDouble(),
}

/** A C `int` that is used as a truth: anything but 0 is true. */
export const intBoolean: Codec<boolean> = {
  write: (writer, value) => writer.writeInt(value ? 1 : 0),
  read: (reader) => reader.readInt() !== 0,
}

/**
 * A string of at most `maximumBytes` of UTF-8. What is written may hold no NUL and no lone surrogate: the other side
 * keeps it as a C string and would cut it off, so that what it acts on is not what was checked here.
 */
export function text(maximumBytes: number): Codec<string> {
  return {
    write(writer, value) {
      if (value.includes('\0')) throw new XdrError('a string with a NUL in it')
      if (!value.isWellFormed()) throw new XdrError('a string with half a surrogate pair in it')
      const bytes = Buffer.from(value, 'utf8')
      if (bytes.length > maximumBytes)
        throw new XdrError(`a string of ${bytes.length} bytes, at most ${maximumBytes} are allowed`)
      writer.writeUint(bytes.length)
      writer.writeOpaque(bytes)
    },
    read: (reader) => reader.readOpaque(reader.readLength(maximumBytes)).toString('utf8'),
  }
}

/** Exactly `length` bytes. */
export function fixedOpaque(length: number): Codec<Buffer> {
  return {
    write(writer, value) {
      if (value.length !== length) throw new XdrError(`${value.length} bytes where ${length} are due`)
      writer.writeOpaque(value)
    },
    read: (reader) => Buffer.from(reader.readOpaque(length)),
  }
}

/** At most `maximum` bytes. */
export function opaque(maximum: number): Codec<Buffer> {
  return {
    write(writer, value) {
      if (value.length > maximum) throw new XdrError(`${value.length} bytes, at most ${maximum} are allowed`)
      writer.writeUint(value.length)
      writer.writeOpaque(value)
    },
    read: (reader) => Buffer.from(reader.readOpaque(reader.readLength(maximum))),
  }
}

/** A pointer that may be NULL. */
export function optional<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    write(writer, value) {
      writer.writeUint(value === undefined ? 0 : 1)
      if (value !== undefined) codec.write(writer, value)
    },
    read: (reader) => (reader.readBoolean() ? codec.read(reader) : undefined),
  }
}

/** A list of at most `maximum` items. Room is taken as items are read, not as the length claims. */
export function array<T>(codec: Codec<T>, maximum: number): Codec<T[]> {
  return {
    write(writer, value) {
      if (value.length > maximum) throw new XdrError(`a list of ${value.length}, at most ${maximum} are allowed`)
      writer.writeUint(value.length)
      for (const item of value) codec.write(writer, item)
    },
    read(reader) {
      const length = reader.readLength(maximum)
      const items: T[] = []
      for (let index = 0; index < length; index++) items.push(codec.read(reader))
      return items
    },
  }
}

type Fields = Record<string, Codec<any>>
type FieldsThatMayBeAbsent<F extends Fields> = { [K in keyof F]: undefined extends CodecValue<F[K]> ? K : never }[keyof F]

/** A struct as an object; fields whose codec takes `undefined` may be left out. */
export type StructValue<F extends Fields> = {
  [K in Exclude<keyof F, FieldsThatMayBeAbsent<F>>]: CodecValue<F[K]>
} & { [K in FieldsThatMayBeAbsent<F>]?: CodecValue<F[K]> }

/** Fields one after another, in the order in which they are listed. */
export function struct<F extends Fields>(fields: F): Codec<StructValue<F>> {
  const entries = Object.entries(fields)
  return {
    write(writer, value) {
      for (const [name, codec] of entries) codec.write(writer, (value as Record<string, unknown>)[name])
    },
    read: (reader) => Object.fromEntries(entries.map(([name, codec]) => [name, codec.read(reader)])) as StructValue<F>,
  }
}

/** The same bytes seen as another type. */
export function mapped<Wire, T>(codec: Codec<Wire>, fromWire: (value: Wire) => T, toWire: (value: T) => Wire): Codec<T> {
  return {
    write: (writer, value) => codec.write(writer, toWire(value)),
    read: (reader) => fromWire(codec.read(reader)),
  }
}

/** A value that may be left out, and is then written as `fallback`. */
export function withDefault<T>(codec: Codec<T>, fallback: T): Codec<T | undefined> {
  return { write: (writer, value) => codec.write(writer, value ?? fallback), read: (reader) => codec.read(reader) }
}

/** A field that is always written as `value`, whatever the caller thinks. */
export function always<T>(codec: Codec<T>, value: T): Codec<undefined> {
  return { write: (writer) => codec.write(writer, value), read: (reader) => void codec.read(reader) }
}

/** What was read, seen as another type. */
export function transformed<Wire, T>(decoder: Decoder<Wire>, fromWire: (value: Wire) => T): Decoder<T> {
  return { read: (reader) => fromWire(decoder.read(reader)) }
}
