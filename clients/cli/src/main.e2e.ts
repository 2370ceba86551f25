import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeCloud } from './testing/fake-cloud.js'

const program = join(import.meta.dirname, '../bin/nubo.js')
const root = join(import.meta.dirname, '../../..')

let folder: string
let cloud: FakeCloud

beforeAll(async () => {
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', join(root, 'clients/cli')])
  folder = mkdtempSync(join(tmpdir(), 'nubo-cli-'))
  // A nubo on the PATH, as an installation has it.
  writeFileSync(join(folder, 'nubo'), `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`, { mode: 0o755 })
  cloud = await FakeCloud.start()
})

afterAll(async () => {
  await cloud.stop()
  rmSync(folder, { recursive: true })
})

afterEach(() => {
  cloud.servers.length = 0
})

interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** Runs a program and says what came out; `watch` sees stderr as it comes. */
function runProgram(
  command: string,
  words: string[],
  environment: Record<string, string> = {},
  watch?: (stderr: string, interrupt: () => void) => void,
): Promise<Ended> {
  const child = spawn(command, words, {
    cwd: folder,
    env: { PATH: `${folder}:${process.env.PATH}`, HOME: folder, ...cloud.environment(), ...environment },
  })
  let stdout = ''
  let stderr = ''
  let interrupted = false
  const interrupt = () => {
    if (!interrupted) child.kill('SIGINT')
    interrupted = true
  }
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    watch?.(stderr, interrupt)
  })
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr })))
}

describe('the program', () => {
  it('runs, with its exit code', async () => {
    cloud.addServer({ name: 'web' })
    expect(await runProgram('nubo', ['server', 'list', '--json', '--columns', 'name'])).toMatchObject({
      code: 0,
      stdout: '[\n  {\n    "name": "web"\n  }\n]\n',
      stderr: '',
    })
    expect(await runProgram('nubo', ['server', 'show', 'db'])).toMatchObject({
      code: 3,
      stdout: '',
      stderr: "nubo: There is no server 'db'\n",
    })
  })

  it('ends on Ctrl-C with 130 and says what goes on', async () => {
    const { id } = cloud.addServer({ next: [{ 'OS-EXT-STS:task_state': 'powering-off' }] })
    const ended = await runProgram(
      'nubo',
      ['server', 'stop', id, '--wait'],
      {},
      (stderr, interrupt) => stderr.includes('powering-off') && interrupt(),
    )
    expect(ended).toMatchObject({ code: 130, signal: null, stderr: expect.stringContaining('The cloud goes on with it') })
  })

  it('minds nobody closing its output early', async () => {
    for (let number = 0; number < 3000; number += 1) cloud.addServer({ name: `server-${number}` })
    const ended = await runProgram('bash', ['-c', 'nubo server list | head -n 1; exit ${PIPESTATUS[0]}'])
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toMatch(/^ID +NAME/)
  })
})

describe('completion in bash', () => {
  /** What bash has in COMPREPLY after a Tab at the end of the line. */
  async function completed(...words: string[]): Promise<string[]> {
    const script = `
      eval "$(nubo completion bash)"
      COMP_WORDS=(nubo ${words.map((word) => `'${word}'`).join(' ')})
      COMP_CWORD=${words.length}
      "$(complete -p nubo | sed 's/.*-F \\([^ ]*\\).*/\\1/')"
      printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = await runProgram('bash', ['--norc', '-c', script])
    expect(stderr).toBe('')
    return stdout.split('\n').filter((line) => line !== '')
  }

  it('completes commands and options', async () => {
    expect(await completed('ser')).toEqual(['server'])
    expect(await completed('server', 'create', '--fl')).toEqual(['--flavor'])
  })

  it('completes names from the cloud, quoted where bash needs it', async () => {
    cloud.addServer({ name: 'web 1' })
    cloud.addServer({ name: 'db' })
    expect(await completed('server', 'stop', '')).toEqual(['web\\ 1', 'db'])
  })

  it('leaves file names to bash', async () => {
    expect(await completed('image', 'create', 'x', '--file', 'so')).toEqual([])
  })
})

const hasOpenssl = existsSync('/usr/bin/openssl')

describe('https', () => {
  let secure: https.Server | undefined
  afterEach(() => void secure?.close())

  const withOpenssl = hasOpenssl ? it : it.skip
  withOpenssl('trusts only the authority that it is told to, unless it is told to trust anybody', async () => {
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'ca.pem')]
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-keyout',
        key,
        '-out',
        certificate,
        '-days',
        '1',
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
      ],
      { stdio: 'ignore' },
    )
    secure = https.createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
      request.resume()
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":{"code":401,"message":"Reached."}}')
    })
    await new Promise<void>((resolve) => secure!.listen(0, '127.0.0.1', resolve))
    const environment = { OS_AUTH_URL: `https://127.0.0.1:${(secure.address() as AddressInfo).port}/v3` }
    const refused = await runProgram('nubo', ['token', 'issue'], environment)
    expect(refused).toMatchObject({ code: 6, stderr: expect.stringContaining('cannot be trusted') })
    const trusted = await runProgram('nubo', ['token', 'issue'], { ...environment, OS_CACERT: certificate })
    expect(trusted).toMatchObject({ code: 4, stderr: 'nubo: Reached. (HTTP 401)\n' })
    expect((await runProgram('nubo', ['token', 'issue', '--insecure'], environment)).stderr).toBe('nubo: Reached. (HTTP 401)\n')
    const missing = await runProgram('nubo', ['token', 'issue'], { ...environment, OS_CACERT: '/dev/null/missing.pem' })
    expect(missing).toMatchObject({
      code: 2,
      stderr: 'nubo: Cannot read the certificate file /dev/null/missing.pem: a part of the path is not a folder\n',
    })
  })
})
