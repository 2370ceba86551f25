import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { CloudError } from '@nubo/kernel'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import type { Change } from '../engine/difference.js'
import type { TableChange } from '../engine/table-difference.js'
import { systemProcesses, type ProcessRunner } from '../process-runner.js'
import { LinuxKernel } from './linux-kernel.js'

const namespace = 'nurt00000001'
const route: Change = {
  verb: 'make',
  object: { kind: 'route', namespace, destination: 'default', family: 4, link: 'gw0', via: '203.0.113.1' },
}
const rule: TableChange = { verb: 'add-rule', chain: 'arrive', rule: 'dnat to ip daddr map @floating_to_fixed' }

describe('what cannot be done in a namespace', () => {
  const fails = (message: string): ProcessRunner => ({
    run: () => Promise.reject(new CloudError('Unavailable', `nsenter failed: ${message}`)),
  })
  const problemsOf = (message: string) =>
    new LinuxKernel(fails(message)).change({
      objects: [route],
      tables: [{ table: { namespace, family: 'ip', name: 'nubo' }, changes: [rule] }],
    })

  it('is told with its name, by which is known whose it is', async () => {
    const problems = await problemsOf('RTNETLINK answers: Invalid argument\nCommand failed -:1')
    expect(problems).toHaveLength(2)
    for (const { why } of problems) expect(why).toContain(namespace)
  })

  it('is so too where a rule is refused', async () => {
    const [refusal] = await problemsOf('/dev/stdin:1:1-2: Error: Could not process rule')
    expect(refusal).toMatchObject({ why: expect.stringContaining(namespace), refused: { chain: 'arrive' } })
  })
})

describe('settings', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(`${tmpdir()}/nubo-settings-`)
    await mkdir(`${directory}/net`)
    await writeFile(`${directory}/net/last`, '0')
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('are told of where one cannot be set, also when those after it can', async () => {
    const { run } = systemProcesses()
    const elsewhere: ProcessRunner = {
      run: (program, args, { input = '', ...options }) =>
        run(program, args, { ...options, input: input.replaceAll('/proc/sys', directory) }),
    }
    const set = (path: string): Change => ({ verb: 'make', object: { kind: 'setting', namespace: '', path, value: '1' } })
    const change = (...paths: string[]) => new LinuxKernel(elsewhere).change({ objects: paths.map(set), tables: [] })
    expect(await change('net/absent/first', 'net/last')).toEqual([{ why: expect.stringContaining('net/absent/first') }])
    expect(await readFile(`${directory}/net/last`, 'utf8')).toBe('1\n')
    expect(await change('net/last')).toEqual([])
  })
})

it('reads as many entries as a host of large networks has', async () => {
  const neighbours = Array.from({ length: 200_000 }, (_, index) => ({
    ...{ dst: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, dev: 'nubr5', lladdr: 'fa:16:3e:00:00:05' },
    state: ['PERMANENT'],
  }))
  const listing = `@namespace \n@entered\n@links\n${JSON.stringify(neighbours)}\n@tables\n@settings\n@forwarding\n@end\n`
  const kernel = new LinuxKernel({ run: async (program) => (program === 'sh' ? listing : '[]') })
  expect((await kernel.read([])).objects.size).toBe(200_000)
})
