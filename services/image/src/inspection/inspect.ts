import { HeadAndTail } from './head-and-tail.js'
import { ImageRefused } from './image-refused.js'
import { checkQcow2Header, qcow2FixedHeaderBytes, readQcow2Header, type Qcow2Header } from './qcow2-header.js'
import { checkQcow2Tables, extensionAreaBytes, readQcow2Extensions, type Qcow2Extensions } from './qcow2-tables.js'
import { formatOfHead, formatOfTail, signatureHeadBytes } from './signatures.js'

export type DiskFormat = 'raw' | 'qcow2'

export interface InspectionLimits {
  /** A larger disk is refused, whatever its file's size. */
  virtualBytes: number
}

/** What is known of an image once all of it was seen. */
export interface Inspection {
  /** The size of the disk that a guest sees. */
  virtualBytes: number
}

/**
 * Looks at an image while it streams by. Keeps 65 KiB of it, however long it is, and does constant work a chunk.
 * Both methods throw `ImageRefused`; `take` does so as early as the bytes allow, so that a bad upload ends early.
 */
export interface Inspector {
  take(chunk: Uint8Array): void
  /** All bytes were taken. */
  finish(): Inspection
}

const tailBytes = 512

/** An inspector for a file that its owner says is of `format`: the format is never guessed. */
export function inspectorOf(format: DiskFormat, limits: InspectionLimits): Inspector {
  return format === 'qcow2' ? new Qcow2Inspector(limits) : new RawInspector(limits)
}

/** Refuses what QEMU, or a person, would take for another format than raw (CVE-2024-32498: `format=raw` was sent as qcow2). */
class RawInspector implements Inspector {
  private readonly seen = new HeadAndTail(signatureHeadBytes, tailBytes)
  private headChecked = false

  constructor(private readonly limits: InspectionLimits) {}

  take(chunk: Uint8Array): void {
    this.seen.take(chunk)
    if (!this.headChecked && this.seen.head.length === signatureHeadBytes) this.checkHead()
  }

  finish(): Inspection {
    if (!this.headChecked) this.checkHead()
    refuseOther(formatOfTail(this.seen.tail))
    if (this.seen.totalBytes > this.limits.virtualBytes) {
      throw new ImageRefused('virtual-size', `The image is larger than the ${this.limits.virtualBytes} bytes allowed here.`)
    }
    return { virtualBytes: this.seen.totalBytes }
  }

  private checkHead(): void {
    refuseOther(formatOfHead(this.seen.head))
    this.headChecked = true
  }
}

function refuseOther(format: string | undefined): void {
  if (!format) return
  throw new ImageRefused(
    'other-format',
    `The file is a ${format} image, although its disk_format says raw. Convert it first: qemu-img convert.`,
  )
}

/** Refuses what would reach out of the file (CVE-2022-47951, CVE-2024-32498) or cost QEMU more than its size can justify. */
class Qcow2Inspector implements Inspector {
  private readonly seen = new HeadAndTail(signatureHeadBytes, 0)
  private header: Qcow2Header | undefined
  private extensions: Qcow2Extensions | undefined

  constructor(private readonly limits: InspectionLimits) {}

  take(chunk: Uint8Array): void {
    this.seen.take(chunk)
    if (!this.header && this.seen.head.length >= qcow2FixedHeaderBytes) this.checkHeader()
    if (this.header && !this.extensions && this.seen.head.length >= extensionAreaBytes(this.header)) this.checkExtensions()
  }

  finish(): Inspection {
    const header = this.header ?? this.checkHeader()
    const extensions = this.extensions ?? this.checkExtensions()
    checkQcow2Tables(header, extensions, this.seen.totalBytes)
    return { virtualBytes: Number(header.virtualBytes) }
  }

  private checkHeader(): Qcow2Header {
    const header = readQcow2Header(this.seen.head)
    checkQcow2Header(header, this.limits)
    return (this.header = header)
  }

  private checkExtensions(): Qcow2Extensions {
    return (this.extensions = readQcow2Extensions(this.seen.head, this.header!))
  }
}
