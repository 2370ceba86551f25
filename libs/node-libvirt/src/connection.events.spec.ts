import { describe, expect, it } from '@jest/globals'
import { LibvirtError } from './errors.js'
import { sessionCalls } from './protocol/calls.js'
import { events } from './protocol/events.js'
import { string } from './protocol/types.js'
import { MessageStatus, MessageType } from './rpc/packets.js'
import { remote } from './test/fake-daemon.js'
import { aDomain, connected, rejection } from './test/setup.js'
import { until } from './test/until.js'
import { decode } from './xdr/codecs.js'

describe('a subscription', () => {
  it('gives the events of its kinds, of every domain, in their order', async () => {
    await using scene = await connected()
    const subscription = await scene.connection.subscribe(['lifecycle', 'controlError'])
    const asked = scene.peer.packets.filter(({ procedure }) => procedure === 316)
    expect(asked.map(({ payload }) => decode(sessionCalls.connectDomainEventCallbackRegisterAny.arguments, payload))).toEqual([
      { eventId: 0, domain: undefined },
      { eventId: 7, domain: undefined },
    ])
    const running = { ...aDomain, id: 3 }
    scene.peer.event('lifecycle', { domain: running, type: 2, detail: 0 })
    scene.peer.event('reboot', { domain: running })
    scene.peer.event('controlError', { domain: running })
    scene.peer.event('lifecycle', { domain: aDomain, type: 5, detail: 2 })
    const received = [await subscription.next(), await subscription.next(), await subscription.next()]
    expect(received.map(({ value }) => value)).toEqual([
      { kind: 'lifecycle', domain: running, type: 2, detail: 0 },
      { kind: 'controlError', domain: running },
      { kind: 'lifecycle', domain: aDomain, type: 5, detail: 2 },
    ])
  })

  it('misses nothing that the daemon sends before it has answered the registration', async () => {
    await using scene = await connected()
    delete scene.daemon.answers['connectDomainEventCallbackRegisterAny']
    const subscribing = scene.connection.subscribe(['lifecycle'])
    const call = await scene.peer.call('connectDomainEventCallbackRegisterAny')
    scene.peer.event('lifecycle', { domain: aDomain, type: 2, detail: 0 })
    scene.peer.reply(call, sessionCalls.connectDomainEventCallbackRegisterAny.result as any, 1)
    expect((await (await subscribing).next()).value).toMatchObject({ kind: 'lifecycle', type: 2 })
  })

  it('shares a registration with others of its kind, and takes it back with the last of them', async () => {
    await using scene = await connected()
    const first = await scene.connection.subscribe(['lifecycle'])
    const second = await scene.connection.subscribe(['lifecycle', 'reboot'])
    expect(scene.peer.callsMade('connectDomainEventCallbackRegisterAny')).toBe(2)
    scene.peer.event('lifecycle', { domain: aDomain, type: 2, detail: 0 })
    expect((await first.next()).value).toEqual((await second.next()).value)

    first.close()
    second.close()
    await scene.peer.call('connectDomainEventCallbackDeregisterAny', 2)
    expect(scene.peer.callsMade('connectDomainEventCallbackDeregisterAny')).toBe(2)
    await scene.connection.subscribe(['lifecycle'])
    expect(scene.peer.callsMade('connectDomainEventCallbackRegisterAny')).toBe(3)
  })

  it('ends with the loop that reads it', async () => {
    await using scene = await connected()
    const subscription = await scene.connection.subscribe(['lifecycle'])
    scene.peer.event('lifecycle', { domain: aDomain, type: 2, detail: 0 })
    for await (const event of subscription) {
      expect(event.kind).toBe('lifecycle')
      break
    }
    await scene.peer.call('connectDomainEventCallbackDeregisterAny')
    expect(await subscription.next()).toEqual({ done: true, value: undefined })
  })

  it('that the daemon refuses leaves nothing behind', async () => {
    await using scene = await connected()
    scene.daemon.answers['connectDomainEventCallbackRegisterAny'] = (peer, packet) =>
      peer.replyError(packet, { code: 3, domain: 12, message: 'no support' })
    expect(await rejection(scene.connection.subscribe(['lifecycle']))).toBeInstanceOf(LibvirtError)
    scene.daemon.answers['connectDomainEventCallbackRegisterAny'] = (peer, packet) => peer.reply(packet, string, 'unused')
    expect(await rejection(scene.connection.subscribe(['reboot']))).toMatchObject({ name: 'LibvirtProtocolError' })
    // Only the kind that is wanted now was asked for, and not the one that was refused before.
    const asked = scene.peer.packets.filter(({ procedure }) => procedure === 316)
    expect(
      asked.map(({ payload }) => decode(sessionCalls.connectDomainEventCallbackRegisterAny.arguments, payload).eventId),
    ).toEqual([0, 1])
  })
})

describe('a slow reader', () => {
  const flood = 50_000

  it('stops neither replies nor pongs, holds no more than its limit, and is told to look again', async () => {
    await using scene = await connected()
    const slow = await scene.connection.subscribe(['lifecycle'], { limit: 100 })
    for (let index = 0; index < flood; index++) scene.peer.event('lifecycle', { domain: aDomain, type: 2, detail: index % 4 })
    scene.peer.ping()
    const hostname = scene.connection.connectGetHostname()
    scene.peer.reply(await scene.peer.call('connectGetHostname'), string, 'host-1')
    expect(await hostname).toBe('host-1')
    await scene.peer.pong()
    expect(slow.queued).toBeLessThanOrEqual(100)

    expect((await slow.next()).value).toEqual({ kind: 'resync', reason: 'overflow' })
    while (slow.queued > 0) await slow.next()
    scene.peer.event('lifecycle', { domain: aDomain, type: 5, detail: 0 })
    expect((await slow.next()).value).toMatchObject({ type: 5 })
  })

  it('costs a reader that keeps up nothing', async () => {
    await using scene = await connected()
    const slow = await scene.connection.subscribe(['lifecycle'], { limit: 10 })
    const quick = await scene.connection.subscribe(['lifecycle'], { limit: 1000 })
    for (let round = 0; round < 10; round++) {
      for (let index = 0; index < 100; index++) scene.peer.event('lifecycle', { domain: aDomain, type: 2, detail: 0 })
      for (let index = 0; index < 100; index++) expect((await quick.next()).value).toMatchObject({ kind: 'lifecycle' })
    }
    expect((await slow.next()).value).toEqual({ kind: 'resync', reason: 'overflow' })
  })

  it('sees what comes after its resync, and one resync for each time it fell behind', async () => {
    await using scene = await connected()
    const slow = await scene.connection.subscribe(['lifecycle'], { limit: 3 })
    for (let detail = 0; detail < 6; detail++) scene.peer.event('lifecycle', { domain: aDomain, type: 5, detail })
    await until(() => slow.queued === 3)
    const seen = [await slow.next(), await slow.next(), await slow.next()].map(({ value }) => value)
    expect(seen).toEqual([
      { kind: 'resync', reason: 'overflow' },
      expect.objectContaining({ detail: 4 }),
      expect.objectContaining({ detail: 5 }),
    ])
  })
})

describe('messages that nobody can use', () => {
  it('are a resync where an event cannot be read', async () => {
    await using scene = await connected()
    const subscription = await scene.connection.subscribe(['lifecycle'])
    const other = await scene.connection.subscribe(['reboot'])
    scene.peer.write(remote(events.lifecycle.procedure, MessageType.Message, 0, MessageStatus.Ok), Buffer.alloc(4))
    expect((await subscription.next()).value).toEqual({ kind: 'resync', reason: 'unreadable' })
    expect(other.queued).toBe(0)
    expect(scene.connection.state).toBe('connected')
  })

  it('are ignored where their kind is not known', async () => {
    await using scene = await connected()
    const subscription = await scene.connection.subscribe(['lifecycle'])
    scene.peer.write(remote(9999, MessageType.Message, 0, MessageStatus.Ok), Buffer.alloc(64))
    scene.peer.event('lifecycle', { domain: aDomain, type: 2, detail: 0 })
    expect((await subscription.next()).value).toMatchObject({ kind: 'lifecycle' })
  })
})
