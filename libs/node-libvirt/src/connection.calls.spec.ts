import { describe, expect, it } from '@jest/globals'
import { LibvirtAbortError, LibvirtConnectionError, LibvirtDeadlineError, LibvirtError, LibvirtProtocolError } from './errors.js'
import { ErrorCode, ErrorDomain } from './protocol/constants.js'
import { string } from './protocol/types.js'
import { encodePacket, MessageStatus, MessageType } from './rpc/packets.js'
import { remote } from './test/fake-daemon.js'
import { aDomain, connected, nothingAtAll, rejection } from './test/setup.js'
import { until } from './test/until.js'
import { encode } from './xdr/codecs.js'

describe('a call', () => {
  it('gets its own answer, in whatever order they come', async () => {
    await using scene = await connected()
    const hostname = scene.connection.connectGetHostname()
    const type = scene.connection.connectGetType()
    scene.peer.reply(await scene.peer.call('connectGetType'), string, 'QEMU')
    scene.peer.reply(await scene.peer.call('connectGetHostname'), string, 'host-1')
    expect(await Promise.all([hostname, type])).toEqual(['host-1', 'QEMU'])
  })

  it('gets its answer when that comes byte by byte', async () => {
    await using scene = await connected()
    const hostname = scene.connection.connectGetHostname()
    const { serial, procedure } = await scene.peer.call('connectGetHostname')
    const header = remote(procedure, MessageType.Reply, serial, MessageStatus.Ok)
    for (const byte of encodePacket(header, encode(string, 'host-1'))) {
      await new Promise((resolve) => scene.peer.socket.write(Buffer.of(byte), resolve))
    }
    expect(await hostname).toBe('host-1')
  })

  it("rejects with libvirt's error, field by field", async () => {
    await using scene = await connected()
    const lookup = scene.connection.domainLookupByName({ name: 'none' })
    scene.peer.replyError(await scene.peer.call('domainLookupByName'), {
      code: ErrorCode.NoDomain,
      domain: ErrorDomain.Qemu,
      message: 'Domain not found',
      strings: ['Domain not found: %s', 'none'],
      ints: [7, -1],
    })
    const error = await rejection(lookup)
    expect(error).toBeInstanceOf(LibvirtError)
    expect(error).toMatchObject({
      outcome: 'failed',
      call: 'domainLookupByName',
      code: 42,
      codeName: 'NoDomain',
      domain: 10,
      domainName: 'Qemu',
      level: 2,
      message: 'Domain not found',
      strings: ['Domain not found: %s', 'none', undefined],
      ints: [7, -1],
    })
  })

  it('that gets no answer in time has an unknown outcome, and the connection goes on', async () => {
    await using scene = await connected()
    const create = scene.connection.domainCreate({ domain: aDomain }, { timeoutMs: 5000 })
    const late = await scene.peer.call('domainCreate')
    scene.clock.advance(5000)
    const error = await rejection(create)
    expect(error).toBeInstanceOf(LibvirtDeadlineError)
    expect(error).toMatchObject({ outcome: 'unknown', timeoutMs: 5000 })
    expect(error.message).toContain('unknown')

    scene.peer.reply(late, string, 'an answer that nobody waits for')
    const hostname = scene.connection.connectGetHostname()
    scene.peer.reply(await scene.peer.call('connectGetHostname'), string, 'host-1')
    expect(await hostname).toBe('host-1')
  })

  it('has a default deadline, its own where it is slow by nature', async () => {
    await using scene = await connected({ timeoutMs: 700 })
    const quick = rejection(scene.connection.connectGetHostname())
    const slow = rejection(scene.connection.domainCreate({ domain: aDomain }))
    await scene.peer.call('domainCreate')
    scene.clock.advance(700)
    expect(await quick).toMatchObject({ timeoutMs: 700 })
    scene.clock.advance(120_000 - 700)
    expect(await slow).toMatchObject({ timeoutMs: 120_000 })
  })

  it('waits here while the daemon has its fill, and has then never happened', async () => {
    await using scene = await connected({ maximumCallsInFlight: 2 })
    const unanswered = rejection(scene.connection.connectGetType())
    const answered = scene.connection.connectGetHostname()
    const waiting = scene.connection.domainDestroy({ domain: aDomain }, { timeoutMs: 10 })
    await scene.peer.call('connectGetHostname')
    scene.clock.advance(10)
    expect(await rejection(waiting)).toMatchObject({ name: 'LibvirtDeadlineError', outcome: 'not-sent' })

    const next = scene.connection.connectGetUri()
    scene.peer.reply(await scene.peer.call('connectGetHostname'), string, 'host-1')
    scene.peer.reply(await scene.peer.call('connectGetUri'), string, 'test:///default')
    expect([await answered, await next]).toEqual(['host-1', 'test:///default'])
    expect(scene.peer.callsMade('domainDestroy')).toBe(0)
    scene.peer.socket.destroy()
    expect((await unanswered).outcome).toBe('unknown')
  })

  it('keeps its place with the daemon after its deadline, until the daemon answers', async () => {
    await using scene = await connected({ maximumCallsInFlight: 1 })
    const stuck = scene.connection.connectGetType({ timeoutMs: 10 })
    const next = scene.connection.connectGetHostname()
    const call = await scene.peer.call('connectGetType')
    scene.clock.advance(10)
    expect((await rejection(stuck)).outcome).toBe('unknown')
    expect(scene.peer.callsMade('connectGetHostname')).toBe(0)
    scene.peer.reply(call, string, 'late')
    scene.peer.reply(await scene.peer.call('connectGetHostname'), string, 'host-1')
    expect(await next).toBe('host-1')
  })

  it('can be given up: unknown once it was sent, never sent before that', async () => {
    await using scene = await connected({ maximumCallsInFlight: 1 })
    const sentAbort = new AbortController()
    const waitingAbort = new AbortController()
    const sent = scene.connection.connectGetType({ signal: sentAbort.signal })
    const waiting = scene.connection.connectGetHostname({ signal: waitingAbort.signal })
    await scene.peer.call('connectGetType')
    const reason = new Error('the tenant changed its mind')
    sentAbort.abort(reason)
    waitingAbort.abort(reason)
    expect(await rejection(sent)).toMatchObject({ name: 'AbortError', outcome: 'unknown', cause: reason })
    expect(await rejection(waiting)).toMatchObject({ name: 'AbortError', outcome: 'not-sent', cause: reason })
    expect(await rejection(scene.connection.connectGetUri({ signal: AbortSignal.abort() }))).toBeInstanceOf(LibvirtAbortError)
  })

  it('with arguments that do not fit the protocol is refused before it is sent', async () => {
    await using scene = await connected()
    const error = await rejection(scene.connection.domainDefineXml({ xml: '<domain>\0</domain>' }))
    expect(error).toBeInstanceOf(LibvirtProtocolError)
    expect(error).toMatchObject({ outcome: 'not-sent' })
    expect(await rejection(scene.connection.domainGetState({ domain: { uuid: 'x' } }))).toBeInstanceOf(LibvirtProtocolError)
    expect(await rejection(scene.connection.domainGetState({} as any))).toBeInstanceOf(LibvirtProtocolError)
    const longNames = Array.from({ length: 9 }, () => ({ ...aDomain, name: 'x'.repeat(4 * 1024 * 1024) }))
    expect(await rejection(scene.connection.connectGetAllDomainStats({ domains: longNames }))).toMatchObject({
      name: 'LibvirtProtocolError',
      outcome: 'not-sent',
    })
    expect(scene.connection.state).toBe('connected')
  })

  it('with an answer that cannot be read rejects alone', async () => {
    await using scene = await connected()
    const list = scene.connection.connectListAllDomains()
    scene.peer.reply(await scene.peer.call('connectListAllDomains'), string, 'not a list')
    expect(await rejection(list)).toMatchObject({ name: 'LibvirtProtocolError', outcome: 'unknown' })
    expect(scene.connection.state).toBe('connected')
  })
})

describe('when the connection dies', () => {
  it.each(['destroy', 'end'] as const)('(%s) every pending call rejects', async (death) => {
    await using scene = await connected({ maximumCallsInFlight: 2, reconnect: false })
    const pending = [
      scene.connection.domainCreate({ domain: aDomain }),
      scene.connection.connectGetHostname(),
      scene.connection.connectGetType(),
    ].map(rejection)
    await scene.peer.call('connectGetHostname')
    scene.peer.socket[death]()
    const errors = await Promise.all(pending)
    for (const error of errors) expect(error).toBeInstanceOf(LibvirtConnectionError)
    expect(errors.map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown', 'not-sent'])
    expect(scene.clock.pendingTimers).toBe(0)
    expect(await rejection(scene.connection.connectGetType())).toMatchObject({ outcome: 'not-sent' })
  })

  it.each([
    ['a packet of no program', { ...remote(59, MessageType.Reply, 1, MessageStatus.Ok), program: 1 }],
    ['an answer to no call', remote(59, MessageType.Reply, 4711, MessageStatus.Ok)],
    ['an answer to another call than the one of its serial', remote(7, MessageType.Reply, 3, MessageStatus.Ok)],
    ['a call', remote(59, MessageType.Call, 1, MessageStatus.Ok)],
  ])('because the daemon sent %s, pending calls reject', async (_what, header) => {
    await using scene = await connected({ reconnect: false })
    const pending = rejection(scene.connection.connectGetHostname())
    expect((await scene.peer.call('connectGetHostname')).serial).toBe(3)
    scene.peer.write(header, nothingAtAll)
    expect(await pending).toMatchObject({
      name: 'LibvirtConnectionError',
      outcome: 'unknown',
      cause: { name: 'LibvirtProtocolError' },
    })
    expect(scene.connection.state).toBe('closed')
  })

  it('because the daemon sent garbage, pending calls reject', async () => {
    await using scene = await connected({ reconnect: false })
    const pending = rejection(scene.connection.connectGetHostname())
    await scene.peer.call('connectGetHostname')
    scene.peer.socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')
    expect((await pending).outcome).toBe('unknown')
  })
})

describe('close', () => {
  it('says goodbye, ends subscriptions, and leaves nothing behind', async () => {
    await using scene = await connected({ keepAlive: { intervalMs: 5000, count: 5 } })
    const subscription = await scene.connection.subscribe(['lifecycle'])
    const next = subscription.next()
    const closed = new Promise<void>((resolve) => scene.connection.once('closed', resolve))
    await scene.connection.close()
    expect(scene.peer.callsMade('connectClose')).toBe(1)
    expect(await next).toEqual({ done: true, value: undefined })
    await closed
    await until(() => scene.peer.socket.readableEnded)
    expect(scene.clock.pendingTimers).toBe(0)
    expect(scene.connection.state).toBe('closed')
    await scene.connection.close()
    expect(await rejection(scene.connection.ready())).toBeInstanceOf(LibvirtConnectionError)
  })

  it('rejects what is pending, and waits for no daemon that says nothing', async () => {
    await using scene = await connected()
    const pending = rejection(scene.connection.connectGetHostname())
    await scene.peer.call('connectGetHostname')
    await scene.connection.close()
    expect(await pending).toMatchObject({ name: 'LibvirtConnectionError', outcome: 'unknown' })

    await using silent = await connected()
    delete silent.daemon.answers['connectClose']
    const closing = silent.connection.close()
    await silent.peer.call('connectClose')
    silent.clock.advance(1000)
    await closing
  })
})
