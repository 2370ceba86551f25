import type { PasswordHasher } from '@nubo/auth'
import {
  assignRole,
  findDomain,
  insertDomain,
  insertProject,
  insertRole,
  insertUser,
  listAssignedRoles,
  listProjects,
  listRoles,
  listUsers,
  lockForRevocation,
  markRevoked,
  systemTargetId,
  updateUser,
  type AssignmentTarget,
  type Database,
  type Transaction,
} from '@nubo/database'
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
  hasher: PasswordHasher,
  random: Random,
  passwords: BootstrapPasswords,
): Promise<string[]> {
  return database.transaction(async (tx) => {
    // Two at once would both find nothing.
    await lockForRevocation(tx)
    const work = new Bootstrap(tx, hasher, random)
    await work.ensureDomain()
    await work.ensureRoles()
    const admin = await work.ensureUser('admin', passwords.adminPassword, await work.ensureProject('admin', 'Runs the cloud'))
    await work.ensureAssignment(admin.userId, 'admin', { kind: 'project', id: admin.projectId }, 'admin')
    await work.ensureAssignment(admin.userId, 'admin', { kind: 'system', id: systemTargetId }, 'the system')
    const demo = await work.ensureUser('demo', passwords.demoPassword, await work.ensureProject('demo', 'A first tenant'))
    await work.ensureAssignment(demo.userId, 'member', { kind: 'project', id: demo.projectId }, 'demo')
    await work.ensureFlavors()
    return work.done
  })
}

class Bootstrap {
  readonly done: string[] = []

  constructor(
    private readonly tx: Transaction,
    private readonly hasher: PasswordHasher,
    private readonly random: Random,
  ) {}

  async ensureDomain(): Promise<void> {
    if (await findDomain(this.tx, defaultDomainId)) return
    await insertDomain(this.tx, { id: defaultDomainId, name: 'Default', description: 'The default domain', enabled: true })
    this.done.push('created domain Default')
  }

  async ensureRoles(): Promise<void> {
    const known = new Set((await listRoles(this.tx, {})).map((role) => role.name))
    for (const name of builtInRoles) {
      if (known.has(name)) continue
      await insertRole(this.tx, { id: newIdentityId<RoleId>(this.random), name, description: roleDescriptions[name] })
      this.done.push(`created role ${name}`)
    }
  }

  async ensureProject(name: string, description: string): Promise<string> {
    const [known] = await listProjects(this.tx, { name, domainId: defaultDomainId })
    if (known) return known.id
    const id = newIdentityId<ProjectId>(this.random)
    await insertProject(this.tx, { id, domainId: defaultDomainId, name, description, enabled: true })
    this.done.push(`created project ${name}`)
    return id
  }

  async ensureUser(name: string, password: string, projectId: string): Promise<{ userId: string; projectId: string }> {
    const [known] = await listUsers(this.tx, { name, domainId: defaultDomainId })
    if (!known) {
      const id = newIdentityId<UserId>(this.random)
      await insertUser(this.tx, {
        id,
        domainId: defaultDomainId,
        name,
        description: '',
        email: null,
        enabled: true,
        defaultProjectId: projectId,
        passwordHash: await this.hasher.hash(password),
      })
      this.done.push(`created user ${name}`)
      return { userId: id, projectId }
    }
    const [row] = await this.tx.query<{ password_hash: string | null }>('SELECT password_hash FROM users WHERE id = $1', [
      known.id,
    ])
    if (!(await this.hasher.matches(password, row?.password_hash))) {
      await updateUser(this.tx, known.id, { passwordHash: await this.hasher.hash(password) })
      await markRevoked(this.tx, 'user', known.id)
      this.done.push(`set the password of user ${name}`)
    }
    return { userId: known.id, projectId }
  }

  async ensureAssignment(userId: string, roleName: string, target: AssignmentTarget, targetName: string): Promise<void> {
    if ((await listAssignedRoles(this.tx, userId, target)).some((role) => role.name === roleName)) return
    const [role] = await listRoles(this.tx, { name: roleName })
    await assignRole(this.tx, userId, role!.id, target)
    this.done.push(`gave role ${roleName} on ${targetName}`)
  }

  /** Into an empty list only: a flavor that the operator deleted stays deleted. */
  async ensureFlavors(): Promise<void> {
    if ((await this.tx.query('SELECT 1 FROM flavors LIMIT 1')).length > 0) return
    for (const { id, name, vcpus, memoryMib, diskGib } of defaultFlavors) {
      await this.tx.execute('INSERT INTO flavors (id, name, vcpus, memory_mib, disk_gib) VALUES ($1, $2, $3, $4, $5)', [
        id,
        name,
        vcpus,
        memoryMib,
        diskGib,
      ])
    }
    this.done.push(`created ${defaultFlavors.length} flavors`)
  }
}
