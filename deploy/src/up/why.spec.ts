import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { lastWords, waitUntilWell } from './why.js'

let file: string
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'nubo-why-')), 'service.log')
})
afterEach(() => rmSync(join(file, '..'), { recursive: true }))

describe('lastWords', () => {
  it('takes message and error out of a JSON line', () => {
    writeFileSync(file, 'before\n{"level":"fatal","msg":"cannot start","err":{"message":"no database"}}\n')
    expect(lastWords(file)).toBe('cannot start: no database')
  })

  it('takes the error and not its stack', () => {
    writeFileSync(file, 'Error: no such file\n    at open (node:fs:1)\n    at run (x.js:2)\n\nNode.js v24.21.0\n')
    expect(lastWords(file)).toBe('Error: no such file')
  })

  it('says when there are none', () => {
    expect(lastWords(file)).toBe('it said nothing')
  })
})

describe('waitUntilWell', () => {
  it('gives up at once when it is told why it will never be', async () => {
    const troubled = async () => 'refused'
    await expect(waitUntilWell('api', file, troubled, () => 'no database', 60_000)).rejects.toThrow(
      /api does not start: no database/,
    )
  })

  it('waits as long as it may, and then says what the trouble was', async () => {
    const troubles = ['refused', 'refused', undefined]
    await waitUntilWell(
      'api',
      file,
      async () => troubles.shift(),
      () => undefined,
      60_000,
    )
    expect(troubles).toEqual([])
    await expect(
      waitUntilWell(
        'api',
        file,
        async () => 'refused',
        () => undefined,
        0,
      ),
    ).rejects.toThrow(/not well after 0 s: refused/)
  })
})
