import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { createReadStream, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { ProjectId } from '@nubo/kernel'
import { ImageRefused } from './image-refused.js'
import { inspectorOf, type DiskFormat } from './inspect.js'
import { defaultSecondOpinionLimits, findSecondOpinion, type SecondOpinion } from './second-opinion.js'

/** Files as QEMU's own tools make them. */
let folder: string
let secondOpinion: SecondOpinion

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nubo-inspection-'))
  secondOpinion = await findSecondOpinion(defaultSecondOpinionLimits)
})
afterAll(() => rmSync(folder, { recursive: true }))

const project = 'alice' as ProjectId
const limits = { virtualBytes: 16 * 2 ** 40 }
const qemuImg = (...parameters: string[]) => execFileSync('qemu-img', parameters, { cwd: folder, stdio: 'pipe' })

async function inspect(name: string, format: DiskFormat) {
  const inspector = inspectorOf(format, limits)
  for await (const chunk of createReadStream(join(folder, name))) inspector.take(chunk)
  const inspection = inspector.finish()
  await secondOpinion.ask(join(folder, name), format, inspection, project)
  return inspection.virtualBytes
}

const verdict = (name: string, format: DiskFormat) =>
  inspect(name, format).catch((error: unknown) => {
    if (error instanceof ImageRefused) return error.code
    throw error
  })

/** 3 MiB of content that does not compress to nothing. */
const content = () => {
  const bytes = Buffer.alloc(3 << 20)
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE((at * 2_654_435_761) >>> 0, at)
  return bytes
}

describe('qcow2 files of qemu-img', () => {
  it.each([
    ['compat=1.1', '10G'],
    ['compat=0.10', '10G'],
    ['cluster_size=512', '1M'],
    ['cluster_size=2M', '10T'],
    ['extended_l2=on,cluster_size=128k', '1G'],
    ['compression_type=zstd', '1G'],
    ['lazy_refcounts=on', '1G'],
    ['refcount_bits=1', '1G'],
    ['preallocation=metadata', '64M'],
  ])('made with %s are taken', async (options, size) => {
    qemuImg('create', '-q', '-f', 'qcow2', '-o', options, 'made.qcow2', size)
    const [, number, unit] = /^(\d+)([MGT])$/.exec(size)!
    expect(await verdict('made.qcow2', 'qcow2')).toBe(Number(number) * 2 ** { M: 20, G: 30, T: 40 }[unit as 'M' | 'G' | 'T'])
  })

  it('with content, compressed, with snapshots and with bitmaps are taken', async () => {
    writeFileSync(join(folder, 'content.raw'), content())
    qemuImg('convert', '-q', '-f', 'raw', '-O', 'qcow2', '-c', 'content.raw', 'full.qcow2')
    qemuImg('snapshot', '-c', 'first', 'full.qcow2')
    qemuImg('snapshot', '-c', 'second', 'full.qcow2')
    qemuImg('bitmap', '--add', '-f', 'qcow2', 'full.qcow2', 'changed')
    expect(await verdict('full.qcow2', 'qcow2')).toBe(3 << 20)
  })

  it.each([
    ['a backing file', ['-o', 'backing_file=/etc/passwd,backing_fmt=raw', '-u'], 'backing-file'],
    ['a backing file over the network', ['-o', 'backing_file=nbd://127.0.0.1/x,backing_fmt=raw', '-u'], 'backing-file'],
    ['a data file', ['-o', 'data_file=other.raw'], 'data-file'],
    ['a raw data file', ['-o', 'data_file=another.raw,data_file_raw=on'], 'data-file'],
    // The older of the two ways: for LUKS qemu-img first measures the processor, and gives up on a busy one.
    ['encryption', ['--object', 'secret,id=key,data=abc', '-o', 'encrypt.format=aes,encrypt.key-secret=key'], 'encrypted'],
  ])('with %s are refused', async (_, parameters, code) => {
    qemuImg('create', '-q', '-f', 'qcow2', ...parameters, 'bad.qcow2', '64M')
    expect(await verdict('bad.qcow2', 'qcow2')).toBe(code)
  })

  it('that are cut short are refused', async () => {
    writeFileSync(join(folder, 'content.raw'), content())
    qemuImg('convert', '-q', '-f', 'raw', '-O', 'qcow2', 'content.raw', 'whole.qcow2')
    writeFileSync(join(folder, 'cut.qcow2'), readFileSync(join(folder, 'whole.qcow2')).subarray(0, 1 << 20))
    // Its tables lie in what is left: only its data is gone, which QEMU's check finds.
    expect(await verdict('cut.qcow2', 'qcow2')).toBe('second-opinion')
  })
})

describe('other files of qemu-img', () => {
  it.each([
    ['vmdk', 'other-format'],
    ['vdi', 'other-format'],
    ['vhdx', 'other-format'],
    ['vpc', 'other-format'],
    ['qed', 'other-format'],
    ['parallels', 'other-format'],
    ['qcow', 'other-format'],
    ['qcow2', 'other-format'],
  ])('as %s are refused as raw, and as qcow2', async (format, code) => {
    qemuImg('create', '-q', '-f', format, `made.${format}`, '64M')
    expect(await verdict(`made.${format}`, 'raw')).toBe(code)
    if (format !== 'qcow2') expect(['not-qcow2', 'unsupported-version']).toContain(await verdict(`made.${format}`, 'qcow2'))
  })

  it.each([
    ['a fixed VHD', 'vpc', 'subformat=fixed'],
    ['a VMDK that only describes', 'vmdk', 'subformat=monolithicFlat'],
    ['a VMDK in extents', 'vmdk', 'subformat=twoGbMaxExtentSparse'],
    ['a streamed VMDK', 'vmdk', 'subformat=streamOptimized'],
  ])('as %s are refused as raw', async (_, format, options) => {
    qemuImg('create', '-q', '-f', format, '-o', options, 'made.variant', '64M')
    expect(await verdict('made.variant', 'raw')).toBe('other-format')
  })

  it('as raw are taken as raw and refused as qcow2', async () => {
    writeFileSync(join(folder, 'plain.raw'), content())
    expect(await verdict('plain.raw', 'raw')).toBe(3 << 20)
    expect(await verdict('plain.raw', 'qcow2')).toBe('not-qcow2')
  })
})

describe('the second opinion', () => {
  it('is there, and without privilege or network where the kernel allows', () => {
    expect(secondOpinion.description).toContain('qemu-img version')
  })

  it('is not waited for longer than allowed', async () => {
    const hurried = await findSecondOpinion({ ...defaultSecondOpinionLimits, seconds: 1 })
    execFileSync('mkfifo', [join(folder, 'endless.qcow2')])
    const asked = hurried.ask(join(folder, 'endless.qcow2'), 'qcow2', { virtualBytes: 1 << 20 }, project)
    await expect(asked).rejects.toMatchObject({ code: 'too-costly-to-check' })
  })

  it('may not take more memory than allowed', async () => {
    const narrow = await findSecondOpinion({ ...defaultSecondOpinionLimits, memoryMib: 100 })
    qemuImg('create', '-q', '-f', 'qcow2', '-o', 'cluster_size=512', 'costly.qcow2', '1M')
    truncateSync(join(folder, 'costly.qcow2'), 60 * 2 ** 30)
    const asked = narrow.ask(join(folder, 'costly.qcow2'), 'qcow2', { virtualBytes: 1 << 20 }, project)
    await expect(asked).rejects.toMatchObject({ code: 'too-costly-to-check' })
  })

  it('agrees on whatever header the inspection takes: QEMU opens it, and it reaches out of no file', async () => {
    qemuImg('create', '-q', '-f', 'qcow2', 'base.qcow2', '1G')
    const base = readFileSync(join(folder, 'base.qcow2'))
    const spoils = fc.array(fc.tuple(fc.integer({ min: 8, max: 240 }), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 3,
    })
    let taken = 0
    await fc.assert(
      fc.asyncProperty(spoils, async (pairs) => {
        const file = Buffer.from(base)
        for (const [at, value] of pairs) file[at] = value
        const inspector = inspectorOf('qcow2', limits)
        try {
          inspector.take(file)
          inspector.finish()
        } catch (error) {
          expect(error).toBeInstanceOf(ImageRefused)
          return
        }
        taken++
        writeFileSync(join(folder, 'spoilt.qcow2'), file)
        const answer = JSON.parse(qemuImg('info', '--output=json', '-f', 'qcow2', 'spoilt.qcow2').toString())
        expect(answer['virtual-size']).toBe(inspector.finish().virtualBytes)
        expect(answer['backing-filename']).toBeUndefined()
        expect(answer['format-specific'].data['data-file']).toBeUndefined()
      }),
      { numRuns: 150 },
    )
    expect(taken).toBeGreaterThan(10)
  })
})
