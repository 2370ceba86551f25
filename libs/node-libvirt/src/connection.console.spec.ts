import { once } from 'node:events'
import { describe, expect, it } from '@jest/globals'
import type { LibvirtStream } from './rpc/stream.js'
import { encodePacket, MessageStatus, MessageType, type Packet } from './rpc/packets.js'
import { remote } from './test/fake-daemon.js'
import { aDomain, connected, nothingAtAll, rejection, type Scene } from './test/setup.js'
import { until } from './test/until.js'
import { encode, nothing } from './xdr/codecs.js'
import { string, wireError } from './protocol/types.js'

async function withConsole(scene: Scene): Promise<{ stream: LibvirtStream; opened: Packet }> {
  const opening = scene.connection.openConsole({ domain: aDomain, device: 'serial0' })
  const opened = await scene.peer.call('domainOpenConsole')
  scene.peer.reply(opened, nothing, undefined)
  return { stream: await opening, opened }
}

/** The packets of a stream that the client has sent. */
function streamed(scene: Scene, status?: number): Packet[] {
  return scene.peer.packets.filter(
    (packet) => packet.type === MessageType.Stream && (status === undefined || packet.status === status),
  )
}

describe('a console', () => {
  it('carries bytes both ways, beside calls', async () => {
    await using scene = await connected()
    const { stream, opened } = await withConsole(scene)
    scene.peer.stream(opened, MessageStatus.Continue, Buffer.from('login: '))
    expect(String((await once(stream, 'data'))[0])).toBe('login: ')
    stream.write('root\n')
    const sent = await scene.peer.packet(({ type }) => type === MessageType.Stream)
    expect(sent).toMatchObject({ procedure: 201, serial: opened.serial, status: MessageStatus.Continue })
    expect(String(sent.payload)).toBe('root\n')
    const hostname = scene.connection.connectGetHostname()
    scene.peer.reply(await scene.peer.call('connectGetHostname'), string, 'host-1')
    expect(await hostname).toBe('host-1')
  })

  it('loses nothing that comes in one piece with the answer that opened it', async () => {
    await using scene = await connected()
    const opening = scene.connection.openConsole({ domain: aDomain })
    const { procedure, serial } = await scene.peer.call('domainOpenConsole')
    scene.peer.socket.write(
      Buffer.concat([
        encodePacket(remote(procedure, MessageType.Reply, serial, MessageStatus.Ok), nothingAtAll),
        encodePacket(remote(procedure, MessageType.Stream, serial, MessageStatus.Continue), Buffer.from('early')),
        encodePacket(remote(procedure, MessageType.Stream, serial, MessageStatus.Ok), nothingAtAll),
      ]),
    )
    expect(Buffer.concat(await (await opening).toArray()).toString()).toBe('early')
  })

  it('writes what is long in pieces that every daemon takes', async () => {
    await using scene = await connected()
    const { stream } = await withConsole(scene)
    const bytes = Buffer.alloc(600_000, 'x')
    await new Promise((resolve) => stream.write(bytes, resolve))
    await until(() => streamed(scene).reduce((sum, { payload }) => sum + payload.length, 0) === bytes.length)
    expect(Math.max(...streamed(scene).map(({ payload }) => payload.length))).toBeLessThanOrEqual(262_120)
  })

  it('ends when the guest ends it, and is then closed on the daemon too', async () => {
    await using scene = await connected()
    const { stream, opened } = await withConsole(scene)
    scene.peer.stream(opened, MessageStatus.Continue, Buffer.from('bye'))
    scene.peer.stream(opened, MessageStatus.Continue)
    expect(Buffer.concat(await stream.toArray()).toString()).toBe('bye')
    await until(() => streamed(scene, MessageStatus.Ok).length === 1)
    scene.peer.stream(opened, MessageStatus.Ok)
    expect(scene.connection.state).toBe('connected')
  })

  it("fails with libvirt's error when its domain goes away under it", async () => {
    await using scene = await connected()
    const { stream, opened } = await withConsole(scene)
    const reading = rejection(stream.toArray())
    const closed = new Promise<void>((resolve) => stream.once('close', resolve))
    const body = { code: 42, domain: 10, message: 'domain is gone', level: 2, int1: 0, int2: 0 }
    scene.peer.stream(opened, MessageStatus.Error, encode(wireError, body))
    expect(await reading).toMatchObject({ name: 'LibvirtError', codeName: 'NoDomain', call: 'domainOpenConsole' })
    await closed
    expect(streamed(scene)).toEqual([])
    expect(await new Promise((resolve) => stream.write('x', resolve))).toMatchObject({ code: 'ERR_STREAM_DESTROYED' })
  })

  it('fails when the connection dies, also where nobody reads it', async () => {
    await using scene = await connected({ reconnect: false })
    const { stream } = await withConsole(scene)
    const closed = new Promise<void>((resolve) => stream.once('close', resolve))
    scene.peer.socket.destroy()
    await closed
    expect(stream.errored).toMatchObject({ name: 'LibvirtConnectionError', outcome: 'unknown' })
  })

  it('is given up when its reader falls too far behind, and does not hold back the connection', async () => {
    await using scene = await connected()
    const { stream, opened } = await withConsole(scene)
    const closed = new Promise<void>((resolve) => stream.once('close', resolve))
    for (let count = 0; count < 20; count++) scene.peer.stream(opened, MessageStatus.Continue, Buffer.alloc(256 * 1024))
    await closed
    expect(stream.errored?.message).toContain('unread')
    await until(() => streamed(scene, MessageStatus.Error).length === 1)
    const hostname = scene.connection.connectGetHostname()
    scene.peer.reply(await scene.peer.call('connectGetHostname'), string, 'host-1')
    expect(await hostname).toBe('host-1')
  })

  it.each([
    ['finished', undefined, MessageStatus.Ok],
    ['aborted', new Error('enough'), MessageStatus.Error],
  ])('that is destroyed is %s on the daemon', async (_how, reason, status) => {
    await using scene = await connected()
    const { stream, opened } = await withConsole(scene)
    stream.destroy(reason)
    await until(() => streamed(scene, status).length === 1)
    // What the daemon had still sent, and its last word.
    scene.peer.stream(opened, MessageStatus.Continue, Buffer.from('late'))
    scene.peer.stream(opened, MessageStatus.Ok)
    const hostname = scene.connection.connectGetHostname()
    scene.peer.reply(await scene.peer.call('connectGetHostname'), string, 'host-1')
    expect(await hostname).toBe('host-1')
  })

  it('that opens after its deadline is closed again', async () => {
    await using scene = await connected()
    const opening = rejection(scene.connection.openConsole({ domain: aDomain }, { timeoutMs: 100 }))
    const opened = await scene.peer.call('domainOpenConsole')
    scene.clock.advance(100)
    expect((await opening).outcome).toBe('unknown')
    scene.peer.reply(opened, nothing, undefined)
    await until(() => streamed(scene, MessageStatus.Error).length === 1)
  })
})
