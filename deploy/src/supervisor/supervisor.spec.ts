import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { systemClock } from '@nubo/kernel'
import { isAlive, signal } from '../process/identity.js'
import { waitFor } from '../process/wait.js'
import { askSupervisor } from './client.js'
import { rotateLogs } from './log-rotation.js'
import type { ServiceSpecification, ServiceStatus } from './protocol.js'
import { Supervisor } from './supervisor.js'

const generousMs = 30_000
jest.setTimeout(2 * generousMs)

let directory: string
let running: Promise<void>

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nubo-supervisor-'))
  begin()
})

afterEach(async () => {
  await ask({ verb: 'shutDown' })
  await running
  rmSync(directory, { recursive: true })
})

function begin() {
  running = new Supervisor({ directory, logDirectory: join(directory, 'logs'), clock: systemClock }).run()
}

async function ask(request: Parameters<typeof askSupervisor>[1]) {
  await waitFor('the supervisor listens', () => existsSync(join(directory, 'supervisor.sock')), {
    timeoutMs: generousMs,
    everyMs: 5,
  })
  return await askSupervisor(directory, request)
}

function service(script: string, fingerprint = script): ServiceSpecification {
  return {
    name: 'thing',
    command: '/bin/sh',
    args: ['-c', script],
    workingDirectory: '/',
    environment: {},
    logFile: join(directory, 'logs/thing.log'),
    stopSignal: 'SIGTERM',
    stopGraceMs: 200,
    fingerprint,
  }
}

/** One that is ended too early says nothing, so each is waited for. */
const startsAreLogged = (count: number) =>
  waitFor(
    `start ${count}`,
    () => {
      const log = join(directory, 'logs/thing.log')
      return existsSync(log) && readFileSync(log, 'utf8') === 'started\n'.repeat(count)
    },
    { timeoutMs: generousMs },
  )

const only = (services: ServiceStatus[]) => services[0]!
const sleeper = 'echo started; exec sleep 1000'

describe('the supervisor', () => {
  it('starts what it is asked for once, and again when it was changed', async () => {
    const first = only(await ask({ verb: 'ensure', service: service(sleeper) }))
    expect(isAlive(first.process!)).toBe(true)
    await startsAreLogged(1)
    expect(only(await ask({ verb: 'ensure', service: service(sleeper) })).process).toEqual(first.process)
    const second = only(await ask({ verb: 'ensure', service: service(sleeper, 'changed') }))
    expect(second.process).not.toEqual(first.process)
    expect(isAlive(first.process!)).toBe(false)
    await startsAreLogged(2)
  })

  it('starts again what ended by itself', async () => {
    const first = only(await ask({ verb: 'ensure', service: service(sleeper) }))
    signal(first.process!, 'SIGKILL')
    const again = await waitFor(
      'it runs again',
      async () => {
        const now = only(await ask({ verb: 'status' }))
        return now.process && now.process.pid !== first.process!.pid && now
      },
      { timeoutMs: generousMs },
    )
    expect(again).toMatchObject({ state: 'running', unexpectedEnds: 1, lastEnd: 'SIGKILL' })
  })

  it('waits longer each time for what cannot run', async () => {
    await ask({ verb: 'ensure', service: service('exit 3') })
    const status = await waitFor(
      'the second end',
      async () => {
        const now = only(await ask({ verb: 'status' }))
        return now.unexpectedEnds >= 2 && now
      },
      { timeoutMs: generousMs },
    )
    expect(status).toMatchObject({ lastEnd: 'code 3' })
  })

  it('kills what does not end by itself', async () => {
    const stubborn = only(await ask({ verb: 'ensure', service: service('trap "" TERM; while :; do sleep 0.05; done') }))
    await waitFor('its trap is set', () => /\nSigIgn:\s+\w*[4567cdef]\w{3}\n/.test(statusOf(stubborn.process!.pid)), {
      timeoutMs: generousMs,
    })
    expect(await ask({ verb: 'stop', name: 'thing' })).toEqual([])
    expect(isAlive(stubborn.process!)).toBe(false)
  })

  it('leaves its services to the next supervisor, who also notices their end', async () => {
    const before = only(await ask({ verb: 'ensure', service: service(sleeper) }))
    await ask({ verb: 'leave' })
    await running
    expect(isAlive(before.process!)).toBe(true)
    begin()
    expect(only(await ask({ verb: 'status' })).process).toEqual(before.process)
    signal(before.process!, 'SIGKILL')
    await waitFor('it runs again', async () => only(await ask({ verb: 'status' })).process?.pid !== before.process!.pid, {
      timeoutMs: generousMs,
    })
  })

  it('says what it cannot do', async () => {
    await expect(ask({ verb: 'restart', name: 'nothing' })).rejects.toThrow('there is no service nothing')
  })
})

describe('rotateLogs', () => {
  it('empties what has grown too large in place, and keeps it once', () => {
    mkdirSync(join(directory, 'logs/host-1'), { recursive: true })
    const [large, small] = [join(directory, 'logs/host-1/large.log'), join(directory, 'logs/small.log')]
    writeFileSync(large, 'x'.repeat(2000))
    writeFileSync(small, 'x'.repeat(10))
    rotateLogs(join(directory, 'logs'), 1000)
    expect([large, `${large}.1`, small].map((file) => statSync(file).size)).toEqual([0, 2000, 10])
  })
})

function statusOf(pid: number): string {
  return readFileSync(`/proc/${pid}/status`, 'utf8')
}
