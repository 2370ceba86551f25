import { describe, expect, it } from '@jest/globals'
import { string } from './protocol/types.js'
import { aDomain, connected, rejection } from './test/setup.js'
import { until } from './test/until.js'

const keepAlive = { intervalMs: 5000, count: 3 }

describe('keepalive', () => {
  it("answers the daemon's pings, also while calls are under way", async () => {
    await using scene = await connected()
    const slow = rejection(scene.connection.domainCreate({ domain: aDomain }))
    await scene.peer.call('domainCreate')
    for (let count = 1; count <= 5; count++) {
      scene.peer.ping()
      await scene.peer.pong(count)
    }
    scene.peer.socket.destroy()
    expect((await slow).outcome).toBe('unknown')
  })

  it('pings a silent daemon, and gives up one that does not answer', async () => {
    await using scene = await connected({ keepAlive, reconnect: false })
    const pending = rejection(scene.connection.domainCreate({ domain: aDomain }))
    await scene.peer.call('domainCreate')
    for (let pings = 1; pings <= 3; pings++) {
      scene.clock.advance(5000)
      await until(() => scene.peer.pings() === pings)
      expect(scene.connection.state).toBe('connected')
    }
    scene.clock.advance(5000)
    expect(await pending).toMatchObject({
      name: 'LibvirtConnectionError',
      outcome: 'unknown',
      message: expect.stringContaining('20000 ms'),
    })
    expect(scene.connection.state).toBe('closed')
    expect(scene.clock.pendingTimers).toBe(0)
  })

  it('takes anything that comes for an answer', async () => {
    await using scene = await connected({ keepAlive, reconnect: false })
    const subscription = await scene.connection.subscribe(['lifecycle'])
    for (let round = 0; round < 10; round++) {
      scene.clock.advance(4000)
      scene.peer.event('lifecycle', { domain: aDomain, type: 2, detail: 0 })
      await subscription.next()
    }
    expect(scene.peer.pings()).toBe(0)
    scene.clock.advance(15_000)
    await until(() => scene.peer.pings() === 3)
    scene.peer.event('lifecycle', { domain: aDomain, type: 2, detail: 0 })
    await subscription.next()
    scene.clock.advance(5000)
    await until(() => scene.peer.pings() === 4)
    expect(scene.connection.state).toBe('connected')
  })

  it('does not give up a daemon because this process slept', async () => {
    await using scene = await connected({ keepAlive, reconnect: false })
    // One timer fires late, as after a suspend: the clock has run, the timers in between have not.
    scene.clock.sleep(3_600_000)
    await until(() => scene.peer.pings() === 1)
    expect(scene.connection.state).toBe('connected')
    const hostname = scene.connection.connectGetHostname()
    scene.peer.reply(await scene.peer.call('connectGetHostname'), string, 'host-1')
    expect(await hostname).toBe('host-1')
  })

  it('makes the connection again after a daemon hung', async () => {
    await using scene = await connected({ keepAlive })
    const subscription = await scene.connection.subscribe(['lifecycle'])
    scene.clock.advance(20_000)
    expect((await subscription.next()).value).toEqual({ kind: 'resync', reason: 'reconnected' })
    expect(scene.daemon.peers).toHaveLength(2)
  })
})
