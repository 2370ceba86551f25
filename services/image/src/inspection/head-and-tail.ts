/** Keeps the first and the last bytes of a stream, however the stream is cut into chunks, and nothing between them. */
export class HeadAndTail {
  private readonly headBuffer: Buffer
  private headLength = 0
  private tailBuffer: Buffer = Buffer.alloc(0)
  private seenBytes = 0

  constructor(
    headBytes: number,
    private readonly tailBytes: number,
  ) {
    this.headBuffer = Buffer.alloc(headBytes)
  }

  take(chunk: Uint8Array): void {
    if (this.headLength < this.headBuffer.length) {
      const part = chunk.subarray(0, this.headBuffer.length - this.headLength)
      this.headBuffer.set(part, this.headLength)
      this.headLength += part.length
    }
    // Copied, because the chunk's memory belongs to the stream.
    if (chunk.length >= this.tailBytes) this.tailBuffer = Buffer.from(chunk.subarray(chunk.length - this.tailBytes))
    else this.tailBuffer = Buffer.concat([this.tailBuffer, chunk]).subarray(-this.tailBytes)
    this.seenBytes += chunk.length
  }

  /** What was seen of the first bytes so far. */
  get head(): Buffer {
    return this.headBuffer.subarray(0, this.headLength)
  }

  /** The last bytes seen so far; shorter where the stream is. */
  get tail(): Buffer {
    return this.tailBuffer
  }

  get totalBytes(): number {
    return this.seenBytes
  }
}
