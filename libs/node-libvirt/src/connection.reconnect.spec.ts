import { describe, expect, it } from '@jest/globals'
import { LibvirtConnectionError } from './errors.js'
import { string } from './protocol/types.js'
import { aDomain, connected, rejection, type Scene } from './test/setup.js'
import { until } from './test/until.js'

/** Waits for the connection to say `name`, and gives what it says with it. */
function said(scene: Scene, name: 'disconnected' | 'reconnectFailed' | 'reconnected' | 'closed'): Promise<unknown[]> {
  return new Promise((resolve) => scene.connection.once(name, (...args: unknown[]) => resolve(args)))
}

describe('a connection that was lost', () => {
  it('comes back, registers every subscription again, and tells each to look again', async () => {
    await using scene = await connected()
    const kept = await scene.connection.subscribe(['lifecycle', 'reboot'])
    const closed = await scene.connection.subscribe(['controlError'])
    const before = scene.connection.state
    const reconnected = said(scene, 'reconnected')
    const disconnected = said(scene, 'disconnected')
    closed.close()
    scene.peer.event('lifecycle', { domain: aDomain, type: 5, detail: 2 })
    scene.peer.socket.end()
    expect((await disconnected)[0]).toBeInstanceOf(LibvirtConnectionError)
    await reconnected
    expect([before, scene.connection.state]).toEqual(['connected', 'connected'])

    const peer = await scene.daemon.peer(1)
    const asked = peer.packets.filter(({ procedure }) => procedure === 316).map(({ payload }) => payload.readInt32BE(0))
    expect(asked).toEqual([0, 1])
    peer.event('lifecycle', { domain: aDomain, type: 2, detail: 0 })
    const seen = [await kept.next(), await kept.next(), await kept.next()].map(({ value }) => value)
    expect(seen).toEqual([
      // What came before the loss is not lost, for it may say why.
      expect.objectContaining({ kind: 'lifecycle', type: 5, detail: 2 }),
      { kind: 'resync', reason: 'reconnected' },
      expect.objectContaining({ kind: 'lifecycle', type: 2 }),
    ])
    const hostname = scene.connection.connectGetHostname()
    peer.reply(await peer.call('connectGetHostname'), string, 'host-1')
    expect(await hostname).toBe('host-1')
  })

  it('refuses calls at once while it is away, and can be waited for', async () => {
    await using scene = await connected()
    scene.daemon.stopListening()
    const failed = said(scene, 'reconnectFailed')
    scene.peer.socket.destroy()
    expect(await failed).toEqual([expect.any(LibvirtConnectionError), 100])
    expect(scene.connection.state).toBe('disconnected')
    const refusals = [
      scene.connection.connectGetType(),
      scene.connection.subscribe(['lifecycle']),
      scene.connection.openConsole({ domain: aDomain }),
    ]
    for (const call of refusals)
      expect(await rejection(call)).toMatchObject({ name: 'LibvirtConnectionError', outcome: 'not-sent' })

    const impatient = rejection(scene.connection.ready({ timeoutMs: 50 }))
    const aborted = rejection(scene.connection.ready({ signal: AbortSignal.abort() }))
    const ready = scene.connection.ready()
    scene.clock.advance(50)
    expect(await impatient).toMatchObject({ name: 'LibvirtDeadlineError', outcome: 'not-sent' })
    expect(await aborted).toMatchObject({ name: 'AbortError' })
    await scene.daemon.listen()
    scene.clock.advance(50)
    await ready
    await scene.connection.ready()
    expect(scene.connection.state).toBe('connected')
  })

  it('tries again after pauses that grow to a limit, each partly left to chance', async () => {
    let chance = 1
    await using scene = await connected({ reconnect: { initialDelayMs: 100, maximumDelayMs: 500 }, random: () => chance })
    scene.daemon.stopListening()
    const pauses: number[] = []
    scene.connection.on('reconnectFailed', (_error, nextDelayMs) => {
      pauses.push(nextDelayMs)
      if (pauses.length === 5) chance = 0
    })
    scene.peer.socket.destroy()
    for (let tries = 1; tries <= 6; tries++) {
      await until(() => pauses.length === tries && scene.clock.nextInMs === pauses[tries - 1])
      scene.clock.advance(pauses[tries - 1]!)
    }
    expect(pauses.slice(0, 6)).toEqual([100, 200, 400, 500, 500, 250])
  })

  it('is tried again when a registration is refused half-way', async () => {
    await using scene = await connected()
    const subscription = await scene.connection.subscribe(['lifecycle'])
    let refusals = 1
    const { connectDomainEventCallbackRegisterAny: accept } = scene.daemon.answers
    scene.daemon.answers['connectDomainEventCallbackRegisterAny'] = (peer, packet) =>
      refusals-- > 0 ? peer.replyError(packet, { code: 1, domain: 10, message: 'not now' }) : accept!(peer, packet)
    const failed = said(scene, 'reconnectFailed')
    const reconnected = said(scene, 'reconnected')
    scene.peer.socket.destroy()
    await failed
    scene.clock.advance(100)
    await reconnected
    expect(await subscription.next()).toMatchObject({ value: { kind: 'resync' } })
    expect(scene.daemon.peers).toHaveLength(3)
  })

  it('stays lost where that was wanted', async () => {
    await using scene = await connected({ reconnect: false })
    const subscription = await scene.connection.subscribe(['lifecycle'])
    const closed = said(scene, 'closed')
    scene.peer.socket.destroy()
    await closed
    expect(scene.connection.state).toBe('closed')
    expect((await subscription.next()).done).toBe(true)
    expect(scene.clock.pendingTimers).toBe(0)
  })

  it('can be closed while it is away', async () => {
    await using scene = await connected()
    const subscription = await scene.connection.subscribe(['lifecycle'])
    scene.daemon.stopListening()
    const failed = said(scene, 'reconnectFailed')
    scene.peer.socket.destroy()
    await failed
    const waiting = rejection(scene.connection.ready())
    await scene.connection.close()
    expect(await waiting).toBeInstanceOf(LibvirtConnectionError)
    expect((await subscription.next()).done).toBe(true)
    expect(scene.clock.pendingTimers).toBe(0)
    expect(scene.daemon.peers).toHaveLength(1)
  })

  it('can be closed while it is coming back', async () => {
    await using scene = await connected()
    delete scene.daemon.answers['connectOpen']
    scene.peer.socket.destroy()
    const peer = await scene.daemon.peer(1)
    await peer.call('connectOpen')
    await scene.connection.close()
    await until(() => peer.socket.readableEnded)
    expect(scene.connection.state).toBe('closed')
    expect(scene.clock.pendingTimers).toBe(0)
  })
})
