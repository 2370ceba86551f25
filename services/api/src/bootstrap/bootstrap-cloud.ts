import { seedCloud, type Database, type SeedHasher, type TenantSeed } from '@nubo/database'
import type { ProjectId, Random, RoleId, UserId } from '@nubo/kernel'
import { defaultDomainId, newIdentityId } from '../identity/identifiers.js'
import { builtInRoles } from '../identity/roles/built-in-roles.js'
import { defaultFlavors } from './default-flavors.js'

export interface BootstrapPasswords {
  adminPassword: string
  demoPassword: string
}

const roleDescriptions: Record<(typeof builtInRoles)[number], string> = {
  admin: 'Runs the cloud',
  manager: 'Runs a project',
  member: "Uses a project's resources",
  reader: "Sees a project's resources",
}

/**
 * Makes what is missing of: the Default domain, the built-in roles, project and user admin (role admin there and on the
 * system), project and user demo (role member there), the first flavors. Passwords that differ from those given are set.
 * Returns what was done, a line each.
 */
export function bootstrapCloud(
  database: Database,
  hasher: SeedHasher,
  random: Random,
  { adminPassword, demoPassword }: BootstrapPasswords,
): Promise<string[]> {
  const tenant = (name: string, projectDescription: string, password: string): Omit<TenantSeed, 'role' | 'onSystem'> => ({
    name,
    projectId: newIdentityId<ProjectId>(random),
    projectDescription,
    userId: newIdentityId<UserId>(random),
    password,
  })
  const seed = {
    domain: { id: defaultDomainId, name: 'Default', description: 'The default domain' },
    roles: builtInRoles.map((name) => ({ id: newIdentityId<RoleId>(random), name, description: roleDescriptions[name] })),
    tenants: [
      { ...tenant('admin', 'Runs the cloud', adminPassword), role: 'admin', onSystem: true },
      { ...tenant('demo', 'A first tenant', demoPassword), role: 'member', onSystem: false },
    ],
    flavors: defaultFlavors,
  }
  return seedCloud(database, seed, hasher)
}
