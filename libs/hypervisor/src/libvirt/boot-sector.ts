/** What a BIOS boots: code from its first byte, and the signature in the last two. */
export function bootSector(code: Buffer): Buffer {
  const sector = Buffer.alloc(512)
  code.copy(sector)
  sector.writeUInt16LE(0xaa55, 510)
  return sector
}
