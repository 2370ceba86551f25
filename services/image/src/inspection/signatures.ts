/** A disk image format that a raw disk must not be mistaken for, and how QEMU or its vendor knows it. */
interface Signature {
  format: string
  matches(head: Buffer): boolean
}

const startsWith = (text: string | Buffer) => {
  const bytes = Buffer.isBuffer(text) ? text : Buffer.from(text, 'latin1')
  return (head: Buffer) => head.subarray(0, bytes.length).equals(bytes)
}

/** What `head` must hold for every signature here: ISO 9660's lies in the sixteenth sector of 2 KiB and those after it. */
export const signatureHeadBytes = 65_536

/** Probes at the start of a file: those of QEMU's block drivers (block/*.c, `bdrv_probe`), and encrypted volumes. */
const atStart: readonly Signature[] = [
  { format: 'qcow2', matches: startsWith(Buffer.from([0x51, 0x46, 0x49, 0xfb])) },
  { format: 'QED', matches: startsWith('QED\0') },
  { format: 'VMDK', matches: (head) => startsWith('KDMV')(head) || startsWith('COWD')(head) || isVmdkDescriptor(head) },
  { format: 'VDI', matches: (head) => head.length >= 0x44 && head.readUInt32LE(0x40) === 0xbeda107f },
  { format: 'VHD', matches: startsWith('conectix') },
  { format: 'VHDX', matches: startsWith('vhdxfile') },
  { format: 'Parallels', matches: (head) => startsWith('WithoutFreeSpace')(head) || startsWith('WithouFreSpacExt')(head) },
  { format: 'Bochs', matches: startsWith('Bochs Virtual HD Image') },
  { format: 'cloop', matches: startsWith('#!/bin/sh\n#V2.0 Format\n') },
  { format: 'LUKS', matches: startsWith(Buffer.from('LUKS\xba\xbe', 'latin1')) },
]

/** A text file that lists the files of a VMDK: comments and blank lines, then its version (QEMU's vmdk_probe), or its kind. */
function isVmdkDescriptor(head: Buffer): boolean {
  const text = head.subarray(0, 4096).toString('latin1')
  if (/^\s*# *disk *descriptorfile/i.test(text)) return true
  return /^(?:(?:#[^\n]*|[ \t\r]*)\n)*version=[123]\r?\n/i.test(text)
}

/** Where a filesystem of optical discs announces itself (ECMA-119 §7.1, ECMA-167 part 2 §9): a hybrid one is a disk too. */
function isOpticalDisc(head: Buffer): boolean {
  for (const sector of [16, 17, 18, 19]) {
    const name = head.subarray(sector * 2048 + 1, sector * 2048 + 6).toString('latin1')
    if (name === 'CD001' || name === 'NSR02' || name === 'NSR03') return true
  }
  return false
}

/** A boot sector with at least one partition: what makes a hybrid ISO image bootable as a disk. */
function hasPartitionTable(head: Buffer): boolean {
  if (head.length < 512 || head.readUInt16LE(510) !== 0xaa55) return false
  return [0, 1, 2, 3].some((entry) => head[446 + entry * 16 + 4] !== 0)
}

/** The name of the format that a file begins as, or undefined. `head` is its first `signatureHeadBytes`, or all of it. */
export function formatOfHead(head: Buffer): string | undefined {
  const found = atStart.find((signature) => signature.matches(head))
  if (found) return found.format
  return isOpticalDisc(head) && !hasPartitionTable(head) ? 'ISO 9660' : undefined
}

/** The name of the format whose footer ends a file, or undefined: a fixed VHD is a raw disk with 512 bytes more. */
export function formatOfTail(tail: Buffer): string | undefined {
  if (tail.length < 511) return undefined
  const isFooter = (name: string) => [512, 511].some((bytes) => startsWith(name)(tail.subarray(-bytes)))
  if (isFooter('conectix')) return 'VHD'
  return startsWith('koly')(tail.subarray(-512)) ? 'DMG' : undefined
}
