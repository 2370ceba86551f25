/** Bytes that are not the XDR (RFC 4506) they were read as, or a value that XDR cannot carry. */
export class XdrError extends Error {
  override readonly name = 'XdrError'
}

/** Reads XDR from a buffer, and never past its end. */
export class XdrReader {
  private offset = 0
  private readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  get remaining(): number {
    return this.bytes.length - this.offset
  }

  /** @returns where the next `length` bytes begin, having stepped over them. */
  private take(length: number): number {
    if (length > this.remaining) throw new XdrError(`${length} bytes wanted where ${this.remaining} are left`)
    const start = this.offset
    this.offset += length
    return start
  }

  readInt(): number {
    return this.bytes.readInt32BE(this.take(4))
  }

  readUint(): number {
    return this.bytes.readUInt32BE(this.take(4))
  }

  readHyper(): bigint {
    return this.bytes.readBigInt64BE(this.take(8))
  }

  readUhyper(): bigint {
    return this.bytes.readBigUInt64BE(this.take(8))
  }

  readDouble(): number {
    return this.bytes.readDoubleBE(this.take(8))
  }

  /** A discriminator or boolean: 0 or 1, nothing else. */
  readBoolean(): boolean {
    const value = this.readUint()
    if (value > 1) throw new XdrError(`a boolean of value ${value}`)
    return value === 1
  }

  /** A length that stands before a string, opaque or array. */
  readLength(maximum: number): number {
    const length = this.readUint()
    if (length > maximum) throw new XdrError(`a length of ${length} where at most ${maximum} is allowed`)
    return length
  }

  /** `length` bytes and their padding to a multiple of four. A view on the packet, not a copy. */
  readOpaque(length: number): Buffer {
    const start = this.take(length)
    this.take(padding(length))
    return this.bytes.subarray(start, start + length)
  }
}

/** Collects XDR. */
export class XdrWriter {
  private bytes = Buffer.allocUnsafe(256)
  private length = 0

  /** @returns where `length` bytes may be written. */
  private reserve(length: number): number {
    const needed = this.length + length
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2))
      this.bytes.copy(grown, 0, 0, this.length)
      this.bytes = grown
    }
    const start = this.length
    this.length = needed
    return start
  }

  writeInt(value: number): void {
    if ((value | 0) !== value) throw new XdrError(`${value} is no 32-bit integer`)
    const start = this.reserve(4)
    this.bytes.writeInt32BE(value, start)
  }

  writeUint(value: number): void {
    if (value >>> 0 !== value) throw new XdrError(`${value} is no unsigned 32-bit integer`)
    const start = this.reserve(4)
    this.bytes.writeUInt32BE(value, start)
  }

  writeHyper(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw new XdrError(`${value} is no 64-bit integer`)
    const start = this.reserve(8)
    this.bytes.writeBigInt64BE(value, start)
  }

  writeUhyper(value: bigint): void {
    if (BigInt.asUintN(64, value) !== value) throw new XdrError(`${value} is no unsigned 64-bit integer`)
    const start = this.reserve(8)
    this.bytes.writeBigUInt64BE(value, start)
  }

  writeDouble(value: number): void {
    const start = this.reserve(8)
    this.bytes.writeDoubleBE(value, start)
  }

  writeOpaque(value: Uint8Array): void {
    const pad = padding(value.length)
    const start = this.reserve(value.length + pad)
    this.bytes.set(value, start)
    this.bytes.fill(0, start + value.length, start + value.length + pad)
  }

  finish(): Buffer {
    return this.bytes.subarray(0, this.length)
  }
}

function padding(length: number): number {
  return (4 - (length % 4)) % 4
}
