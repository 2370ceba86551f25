import { describe, expect, it } from '@jest/globals'
import { connectLibvirt } from './connection.js'
import { LibvirtConnectionError, LibvirtDeadlineError, LibvirtError } from './errors.js'
import { sessionCalls } from './protocol/calls.js'
import { unixSocket } from './rpc/transport.js'
import { FakeDaemon } from './test/fake-daemon.js'
import { ManualClock } from './test/manual-clock.js'
import { connected, rejection } from './test/setup.js'
import { until } from './test/until.js'
import { array, decode, int, nothing } from './xdr/codecs.js'

describe('connecting', () => {
  it('logs in, asks for keepalive, and opens the URI', async () => {
    await using scene = await connected({ uri: 'test:///default', readOnly: true, keepAlive: { intervalMs: 5000, count: 5 } })
    expect(scene.peer.packets.map(({ procedure }) => procedure)).toEqual([66, 60, 1])
    expect(decode(sessionCalls.connectSupportsFeature.arguments, scene.peer.packets[1]!.payload)).toEqual({ feature: 10 })
    expect(decode(sessionCalls.connectOpen.arguments, scene.peer.packets[2]!.payload)).toEqual({
      uri: 'test:///default',
      flags: 1,
    })
  })

  it('asks polkit where the daemon wants that', async () => {
    await using daemon = await FakeDaemon.start()
    daemon.answers['authList'] = (peer, packet) => peer.reply(packet, array(int, 20), [2])
    daemon.answers['authPolkit'] = (peer, packet) => peer.reply(packet, int, 1)
    await using connection = await connectLibvirt({ transport: daemon.transport })
    expect(connection.state).toBe('connected')
    expect(daemon.peers[0]!.callsMade('authPolkit')).toBe(1)
  })

  it('says so where the daemon wants a login that is not supported', async () => {
    await using daemon = await FakeDaemon.start()
    daemon.answers['authList'] = (peer, packet) => peer.reply(packet, array(int, 20), [1])
    expect(await rejection(connectLibvirt({ transport: daemon.transport }))).toMatchObject({
      name: 'LibvirtConnectionError',
      message: expect.stringContaining('login'),
    })
    await until(() => daemon.peers[0]!.socket.readableEnded)
  })

  it("rejects with libvirt's error where the URI cannot be opened", async () => {
    await using daemon = await FakeDaemon.start()
    daemon.answers['connectOpen'] = (peer, packet) => peer.replyError(packet, { code: 5, domain: 0, message: 'no such driver' })
    const error = await rejection(connectLibvirt({ transport: daemon.transport, uri: 'nope:///' }))
    expect(error).toBeInstanceOf(LibvirtError)
    expect(error).toMatchObject({ codeName: 'NoConnect', call: 'connectOpen' })
    await until(() => daemon.peers[0]!.socket.readableEnded)
  })

  it('says where it could not connect to, and why', async () => {
    const error = await rejection(connectLibvirt({ transport: unixSocket('/nonexistent/socket') }))
    expect(error).toBeInstanceOf(LibvirtConnectionError)
    expect(error).toMatchObject({
      outcome: 'not-sent',
      cause: { code: 'ENOENT' },
      message: expect.stringContaining('/nonexistent/socket'),
    })
  })

  it('gives up on a daemon that accepts and says nothing', async () => {
    await using daemon = await FakeDaemon.start()
    delete daemon.answers['connectOpen']
    const clock = new ManualClock()
    const connecting = rejection(connectLibvirt({ transport: daemon.transport, clock, connectTimeoutMs: 3000, keepAlive: false }))
    await (await daemon.peer(0)).call('connectOpen')
    clock.advance(3000)
    expect(await connecting).toBeInstanceOf(LibvirtDeadlineError)
    expect(clock.pendingTimers).toBe(0)
    await until(() => daemon.peers[0]!.socket.readableEnded)
  })

  it('can be given up', async () => {
    await using daemon = await FakeDaemon.start()
    delete daemon.answers['authList']
    const abort = new AbortController()
    const connecting = rejection(connectLibvirt({ transport: daemon.transport, signal: abort.signal }))
    await (await daemon.peer(0)).call('authList')
    abort.abort(new Error('enough'))
    expect(await connecting).toMatchObject({ name: 'AbortError', cause: { message: 'enough' } })
    expect(await rejection(connectLibvirt({ transport: daemon.transport, signal: AbortSignal.abort() }))).toMatchObject({
      name: 'AbortError',
    })
  })

  it('notices a daemon that hangs up in the same breath', async () => {
    await using daemon = await FakeDaemon.start()
    daemon.answers['connectOpen'] = (peer, packet) => {
      peer.reply(packet, nothing, undefined)
      peer.socket.end()
    }
    const connection = await connectLibvirt({ transport: daemon.transport, reconnect: false })
    await until(() => connection.state === 'closed')
    expect(await rejection(connection.connectGetHostname())).toBeInstanceOf(LibvirtConnectionError)
  })
})
