import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { baseConfiguration, commandLineOption, databaseConfiguration, readConfiguration } from './configuration.js'

const schema = baseConfiguration.extend({ database: databaseConfiguration })
const database = { host: '/run/pg', port: 5432, database: 'nubo', user: 'nubo', password: 'open sesame' }

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'nubo-configuration-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

function read(text: string) {
  const file = join(directory, 'service.json')
  writeFileSync(file, text)
  return readConfiguration(file, schema)
}

it('fills in what has a default', () => {
  expect(read(JSON.stringify({ listen: { host: '::', port: 0 }, database }))).toEqual({
    log: { level: 'info' },
    listen: { host: '::', port: 0 },
    database: { ...database, poolSize: 10, statementTimeoutMs: 20_000 },
  })
})

it('lists every problem at once', () => {
  const text = JSON.stringify({ listen: { host: '', port: 70_000 }, database: { ...database, port: 'x' }, surprise: 1 })
  let message = ''
  try {
    read(text)
  } catch (error) {
    message = (error as Error).message
  }
  for (const path of ['listen.host', 'listen.port', 'database.port', 'surprise']) expect(message).toContain(path)
  expect(message).not.toContain('open sesame')
})

it('says where JSON ends, and nothing of what it holds', () => {
  expect(() => read(`{"password": "open sesame", }`)).toThrow(/it is not JSON/)
  expect(() => read(`{"password": "open sesame", }`)).not.toThrow(/sesame/)
})

it('says that a file is not there', () => {
  expect(() => readConfiguration(join(directory, 'nowhere.json'), schema)).toThrow('it cannot be read')
})

it('finds an option in a command line', () => {
  expect(commandLineOption(['node', 'main.js', '--config', 'a.json'], 'config')).toBe('a.json')
  expect(commandLineOption(['node', 'main.js'], 'config')).toBeUndefined()
})
