import { sessionCalls } from './protocol/calls.js'
import { eventKinds, events, type EventKind } from './protocol/events.js'
import type { CallOptions, RpcChannel } from './rpc/channel.js'

/**
 * Which events one channel's daemon was asked for. There is one registration a kind, for all domains, whatever the
 * number of subscribers: their events are told apart here, so that a new channel has little to repeat.
 */
export class Registrations {
  private readonly channel: RpcChannel
  private readonly wanted: () => ReadonlySet<EventKind>
  private readonly callbackIds = new Map<EventKind, number>()
  private last: Promise<unknown> = Promise.resolve()

  constructor(channel: RpcChannel, wanted: () => ReadonlySet<EventKind>) {
    this.channel = channel
    this.wanted = wanted
  }

  /** Makes the daemon send what is wanted now, and no more. One at a time, so that two changes cannot cross. */
  synchronise(options: CallOptions = {}): Promise<void> {
    const result = this.last.then(() => this.apply(options))
    this.last = result.catch(() => undefined)
    return result
  }

  private async apply(options: CallOptions): Promise<void> {
    for (const kind of eventKinds) {
      const callbackId = this.callbackIds.get(kind)
      if (this.wanted().has(kind) && callbackId === undefined) await this.register(kind, options)
      if (!this.wanted().has(kind) && callbackId !== undefined) await this.deregister(kind, callbackId, options)
    }
  }

  private async register(kind: EventKind, options: CallOptions): Promise<void> {
    const { connectDomainEventCallbackRegisterAny: call } = sessionCalls
    const callbackId = await this.channel.call(
      'connectDomainEventCallbackRegisterAny',
      call,
      { eventId: events[kind].eventId },
      options,
    )
    this.callbackIds.set(kind, callbackId)
  }

  private async deregister(kind: EventKind, callbackId: number, options: CallOptions): Promise<void> {
    const { connectDomainEventCallbackDeregisterAny: call } = sessionCalls
    this.callbackIds.delete(kind)
    await this.channel.call('connectDomainEventCallbackDeregisterAny', call, { callbackId }, options)
  }
}
