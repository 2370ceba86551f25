import { int, struct, type Codec, type CodecValue } from '../xdr/codecs.js'
import { domain, string } from './types.js'

/** One kind of event that a domain can raise. */
interface EventDefinition<Body> {
  /** virDomainEventID, to register for it. */
  eventId: number
  /** The procedure number of the messages that carry it. */
  procedure: number
  body: Codec<Body>
}

function event<Body>(eventId: number, procedure: number, body: Codec<Body>): EventDefinition<Body> {
  return { eventId, procedure, body }
}

const callbackId = int

/** Every kind of event that this library offers: virDomainEventID, procedure, body (remote_protocol.x). */
export const events = {
  /** Defined, started, stopped ...: `type` is one of `LifecycleEventType`, `detail` one of `LifecycleEventDetail`. */
  lifecycle: event(0, 318, struct({ callbackId, domain, type: int, detail: int })),
  /** The guest restarted itself. */
  reboot: event(1, 319, struct({ callbackId, domain })),
  /** The watchdog fired. */
  watchdog: event(3, 321, struct({ callbackId, domain, action: int })),
  /** A disk failed. `reason` is '' where libvirt has no name for it. */
  ioError: event(6, 324, struct({ callbackId, domain, path: string, device: string, action: int, reason: string })),
  /** libvirt lost its hold on the hypervisor's monitor: it no longer controls this domain. */
  controlError: event(7, 325, struct({ callbackId, domain })),
  /** A device is out of a running domain: it let go of it, or it was taken away. `alias` is the device's. */
  deviceRemoved: event(15, 333, struct({ callbackId, domain, alias: string })),
  /** The guest refused to let go of a device. */
  deviceRemovalFailed: event(22, 367, struct({ callbackId, domain, alias: string })),
  /** The guest agent came (`state` 1) or went (`state` 2). */
  agentLifecycle: event(18, 348, struct({ callbackId, domain, state: int, reason: int })),
}

export type EventKind = keyof typeof events

type EventBody<K extends EventKind> = Omit<CodecValue<(typeof events)[K]['body']>, 'callbackId'>

/** An event as its subscriber sees it. */
export type DomainEvent<K extends EventKind = EventKind> = { [Kind in K]: { kind: Kind } & EventBody<Kind> }[K]

export const eventKinds = Object.keys(events) as EventKind[]

/** The kind of event that messages of this procedure carry. */
export function eventKindOf(procedure: number): EventKind | undefined {
  return eventKinds.find((kind) => events[kind].procedure === procedure)
}
