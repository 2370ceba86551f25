import { newId, type DomainId, type Id, type ProjectId, type Random, type RoleId, type UserId } from '@nubo/kernel'

/** Keystone's ids are UUIDs without dashes. */
export const newIdentityId = <T extends ProjectId | UserId | RoleId | DomainId>(random: Random): T =>
  newId<Id<'identity'>>(random).replaceAll('-', '') as string as T

/** The domain that is there from the start (`[identity] default_domain_id` in Keystone). */
export const defaultDomainId = 'default' as DomainId
