import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ImageRefused } from './image-refused.js'
import { inspectorOf } from './inspect.js'

const limits = { virtualBytes: 1 << 20 }

function inspect(file: Buffer, chunkBytes = file.length || 1) {
  const inspector = inspectorOf('raw', limits)
  for (let at = 0; at < file.length; at += chunkBytes) inspector.take(file.subarray(at, at + chunkBytes))
  return inspector.finish()
}

const at = (offset: number, text: string, size = 80_000) => {
  const file = Buffer.alloc(size)
  file.write(text, offset, 'latin1')
  return file
}

const withBootSector = (file: Buffer) => {
  file.writeUInt16LE(0xaa55, 510)
  file[446 + 4] = 0x17
  return file
}

it.each([
  ['qcow', at(0, 'QFI\xfb\0\0\0\x01')],
  ['qcow2', at(0, 'QFI\xfb\0\0\0\x03')],
  ['QED', at(0, 'QED\0')],
  ['VMDK', at(0, 'KDMV')],
  ['VMDK of ESX', at(0, 'COWD')],
  ['VMDK descriptor', Buffer.from('# Disk DescriptorFile\nversion=1\nCID=1\nRW 2048 FLAT "/etc/shadow" 0\n')],
  ['VMDK descriptor without its title', Buffer.from('#\n\n# x\n \nversion=3\r\ncreateType="monolithicFlat"\n')],
  ['VDI', at(0x40, '\x7f\x10\xda\xbe')],
  ['VHD', at(0, 'conectix')],
  ['fixed VHD, by its footer', at(80_000 - 512, 'conectix')],
  ['fixed VHD of old, by its footer', at(80_000 - 511, 'conectix')],
  ['VHDX', at(0, 'vhdxfile')],
  ['Parallels', at(0, 'WithoutFreeSpace')],
  ['Parallels of 2^32 sectors', at(0, 'WithouFreSpacExt')],
  ['Bochs', at(0, 'Bochs Virtual HD Image')],
  ['cloop', at(0, '#!/bin/sh\n#V2.0 Format\n')],
  ['DMG, by its footer', at(80_000 - 512, 'koly')],
  ['LUKS', at(0, 'LUKS\xba\xbe')],
  ['ISO 9660', at(32_769, 'CD001')],
  [
    'ISO 9660 with a boot sector and no partition',
    (() => {
      const file = at(32_769, 'CD001')
      file.writeUInt16LE(0xaa55, 510)
      return file
    })(),
  ],
  ['UDF', at(34_817, 'NSR03')],
])('refuses a file that is %s', (_, file) => {
  expect(() => inspect(file)).toThrow(ImageRefused)
  expect(() => inspect(file, 100)).toThrow(ImageRefused)
  try {
    inspect(file)
  } catch (error) {
    expect((error as ImageRefused).code).toBe('other-format')
  }
})

it.each([
  ['an empty file', Buffer.alloc(0)],
  ['zeros', Buffer.alloc(80_000)],
  ['a short file', Buffer.from('x')],
  ['a disk with partitions', withBootSector(Buffer.alloc(80_000))],
  ['a hybrid ISO, which is a disk with partitions too', withBootSector(at(32_769, 'CD001'))],
  ['a signature where it means nothing', at(4096, 'QFI\xfb')],
  ['text', Buffer.from('#!/bin/sh\necho version=1\n')],
])('takes %s', (_, file) => {
  expect(inspect(file).virtualBytes).toBe(file.length)
  expect(inspect(file, 511).virtualBytes).toBe(file.length)
})

it('refuses what is larger than a disk may be', () => {
  expect(() => inspect(Buffer.alloc(limits.virtualBytes + 1))).toThrow(/larger than/)
})

it('refuses a signature as soon as it has passed', () => {
  const inspector = inspectorOf('raw', limits)
  expect(() => inspector.take(at(0, 'vhdxfile', 65_536))).toThrow(ImageRefused)
})

it('takes any bytes that carry no signature', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      expect(inspect(Buffer.concat([Buffer.from('no'), bytes])).virtualBytes).toBe(bytes.length + 2)
    }),
  )
})
