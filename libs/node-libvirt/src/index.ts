export { systemClock, type LibvirtClock, type LibvirtTimer } from './clock.js'
export { connectLibvirt, LibvirtConnection } from './connection.js'
export type { ConnectOptions, LibvirtCalls, LibvirtConnectionEvents } from './connection.js'
export {
  LibvirtAbortError,
  LibvirtClientError,
  LibvirtConnectionError,
  LibvirtDeadlineError,
  LibvirtError,
  LibvirtProtocolError,
  type Outcome,
} from './errors.js'
export type { ReconnectOptions } from './link.js'
export type { DomainStatistics } from './protocol/calls.js'
export * from './protocol/constants.js'
export type { DomainEvent, EventKind } from './protocol/events.js'
export type { Domain, DomainReference, Parameters, Version } from './protocol/types.js'
export type { CallOptions } from './rpc/channel.js'
export type { KeepAliveOptions } from './rpc/keepalive.js'
export type { LibvirtStream } from './rpc/stream.js'
export { defaultSocketPath, tcp, tls, unixSocket, type Transport } from './rpc/transport.js'
export type { Resync, Subscription } from './subscription.js'
