import { XdrError } from '../xdr/bytes.js'
import {
  double,
  fixedOpaque,
  hyper,
  int,
  mapped,
  optional,
  struct,
  text,
  uhyper,
  uint,
  withDefault,
  type Codec,
  type CodecValue,
} from '../xdr/codecs.js'

/** REMOTE_STRING_MAX. */
const stringMaximumBytes = 4 * 1024 * 1024

export const string = text(stringMaximumBytes)

/** A string that may be NULL. */
export const optionalString = optional(string)

/** A set of flags, 0 where left out. */
export const flags: Codec<number | undefined> = withDefault(uint, 0)

/** A number on the wire that is 64 bits wide but stays far below 2^53 (KiB of memory, bytes of a disk, a version). */
export const uhyperNumber: Codec<number> = mapped(uhyper, Number, BigInt)

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** A UUID in its usual form with hyphens, in lower case when read. */
export const uuid: Codec<string> = mapped(
  fixedOpaque(16),
  (bytes) => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
  (value) => {
    if (!uuidPattern.test(value)) throw new XdrError(`'${value}' is no UUID`)
    return Buffer.from(value.replaceAll('-', ''), 'hex')
  },
)

/** A domain as libvirt names it. `id` is there while it runs, and is another at each start. */
export interface Domain {
  name: string
  uuid: string
  id?: number
}

/** What is needed to name a domain in a call: libvirt finds it by `uuid`, and uses the rest for its error messages. */
export type DomainReference = Pick<Domain, 'uuid'> & Partial<Domain>

const inactiveId = -1
const wireDomain = struct({ name: string, uuid, id: int })

/** remote_nonnull_domain, from libvirt. */
export const domain: Codec<Domain> = mapped(
  wireDomain,
  ({ id, ...rest }): Domain => (id === inactiveId ? rest : { ...rest, id }),
  ({ id = inactiveId, ...rest }) => ({ ...rest, id }),
)

/** remote_nonnull_domain, to libvirt. */
export const domainReference: Codec<DomainReference> = mapped(
  wireDomain,
  (value): DomainReference => value,
  ({ uuid, name = '', id = inactiveId }) => ({ name, uuid, id }),
)

/** virNetMessageError. */
export const wireError = struct({
  code: int,
  domain: int,
  message: optionalString,
  level: int,
  domainReference: optional(wireDomain),
  string1: optionalString,
  string2: optionalString,
  string3: optionalString,
  int1: int,
  int2: int,
  network: optional(struct({ name: string, uuid })),
})
export type WireError = CodecValue<typeof wireError>

/** The value of a virTypedParameter with its type on the wire. */
export type TypedValue =
  | { type: 'int' | 'uint' | 'double'; value: number }
  | { type: 'llong' | 'ullong'; value: bigint }
  | { type: 'boolean'; value: boolean }
  | { type: 'string'; value: string }

/** VIR_TYPED_PARAM_*: the discriminator is the position in this list, from 1. */
const typedValueTypes = ['int', 'uint', 'llong', 'ullong', 'double', 'boolean', 'string'] as const
const typedValueCodecs: Record<TypedValue['type'], Codec<any>> = {
  int,
  uint,
  llong: hyper,
  ullong: uhyper,
  double,
  boolean: mapped(int, (value) => value !== 0, Number),
  string,
}

export const typedValue: Codec<TypedValue> = {
  write(writer, { type, value }) {
    writer.writeInt(typedValueTypes.indexOf(type) + 1)
    typedValueCodecs[type].write(writer, value)
  },
  read(reader) {
    const discriminator = reader.readInt()
    const type = typedValueTypes[discriminator - 1]
    if (type === undefined) throw new XdrError(`a typed parameter of unknown type ${discriminator}`)
    return { type, value: typedValueCodecs[type].read(reader) } as TypedValue
  },
}

export const typedParameter = struct({ field: string, value: typedValue })
export type TypedParameter = CodecValue<typeof typedParameter>

/** Named values, 64-bit ones as bigint. */
export type Parameters = Record<string, number | bigint | boolean | string>

export function asParameters(list: readonly TypedParameter[]): Parameters {
  return Object.fromEntries(list.map(({ field, value }) => [field, value.value]))
}

/** libvirt's 1000000 * major + 1000 * minor + release. */
export interface Version {
  major: number
  minor: number
  release: number
}

export const version: Codec<Version> = mapped(
  uhyperNumber,
  (value) => ({ major: Math.floor(value / 1_000_000), minor: Math.floor(value / 1000) % 1000, release: value % 1000 }),
  ({ major, minor, release }) => major * 1_000_000 + minor * 1000 + release,
)

/** A C `char[length]`: one XDR int for each char, cut at the first NUL. */
export function characters(length: number): Codec<string> {
  return {
    write(writer, value) {
      const bytes = Buffer.from(value, 'utf8')
      if (bytes.length > length) throw new XdrError(`a string of ${bytes.length} bytes for a field of ${length}`)
      for (let index = 0; index < length; index++) writer.writeInt(bytes[index] ?? 0)
    },
    read(reader) {
      const bytes = Buffer.from(Array.from({ length }, () => reader.readInt() & 0xff))
      const end = bytes.indexOf(0)
      return bytes.toString('utf8', 0, end === -1 ? length : end)
    },
  }
}
