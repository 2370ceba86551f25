import type { Random } from './random.js'

declare const brand: unique symbol
/** A string that is the id of one kind of thing and of no other. */
export type Id<Kind extends string> = string & { readonly [brand]: Kind }

export type ServerId = Id<'server'>
export type HostId = Id<'host'>
export type ProjectId = Id<'project'>
export type UserId = Id<'user'>
export type DomainId = Id<'domain'>
export type RoleId = Id<'role'>
export type ImageId = Id<'image'>
export type FlavorId = Id<'flavor'>
export type KeypairId = Id<'keypair'>
export type NetworkId = Id<'network'>
export type SubnetId = Id<'subnet'>
export type SubnetPoolId = Id<'subnet-pool'>
export type PortId = Id<'port'>
export type SecurityGroupId = Id<'security-group'>
export type RouterId = Id<'router'>
export type FloatingIpId = Id<'floating-ip'>
export type OperationId = Id<'operation'>
export type StepId = Id<'step'>
export type RequestId = Id<'request'>
/** Changes each time an agent registers with the conductor. */
export type SessionId = Id<'session'>

const canonicalUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** RFC 9562, version 4, canonical form. */
export function newId<T extends Id<string>>(random: Random): T {
  const bytes = random.bytes(16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as T
}

/** True for a UUID in its canonical, lower-case form: what PostgreSQL's uuid type takes and gives back unchanged. */
export function isUuid(text: string): boolean {
  return canonicalUuid.test(text)
}
