import { connectLibvirt, type ConnectOptions, type LibvirtConnection } from '../connection.js'
import { FakeDaemon, FakePeer } from './fake-daemon.js'
import { ManualClock } from './manual-clock.js'

export const aDomain = { name: 'guest', uuid: '6695eb01-f6a4-8304-79aa-97f2502e193f' }
export const nothingAtAll = Buffer.alloc(0)

export interface Scene extends AsyncDisposable {
  daemon: FakeDaemon
  peer: FakePeer
  clock: ManualClock
  connection: LibvirtConnection
}

/** A connection to a fake daemon, in time that stands still; without keepalive unless asked for. */
export async function connected(options: ConnectOptions = {}): Promise<Scene> {
  const daemon = await FakeDaemon.start()
  const clock = new ManualClock()
  const connection = await connectLibvirt({ transport: daemon.transport, clock, random: () => 1, keepAlive: false, ...options })
  const peer = await daemon.peer(0)
  return {
    daemon,
    peer,
    clock,
    connection,
    async [Symbol.asyncDispose]() {
      await connection.close()
      await daemon[Symbol.asyncDispose]()
    },
  }
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<any> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('error' in outcome) return outcome.error
  throw new Error(`it did not reject, but gave ${outcome.value}`)
}
