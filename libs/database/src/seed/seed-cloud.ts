import type { Database, Transaction } from '../connection.js'
import type { Prisma } from '../generated/client.js'
import { lockForRevocation, markRevoked } from '../identity/revocations.js'

/** The first records of a cloud, with ids to give to those that are not there yet. */
export interface CloudSeed {
  domain: { id: string; name: string; description: string }
  roles: readonly { id: string; name: string; description: string }[]
  tenants: readonly TenantSeed[]
  flavors: readonly { id: string; name: string; vcpus: number; memoryMib: number; diskGib: number }[]
}

/** A project and a user of one name. */
export interface TenantSeed {
  name: string
  projectId: string
  projectDescription: string
  userId: string
  password: string
  /** Of the user on the project, and on the system where it is said. */
  role: string
  onSystem: boolean
}

export interface SeedHasher {
  hash(password: string): Promise<string>
  matches(password: string, hash: string | null): Promise<boolean>
}

/** Two hashes for each user at most, on a slow machine. */
const timeoutMs = 60_000

/**
 * Makes what is missing of `seed`, sets passwords that differ, and returns what was done, a line each. Flavors go into an
 * empty list only: one that the operator deleted stays deleted. Plain records through Prisma: it runs once, in a process of
 * its own, so that Prisma's query compiler (45 MB, measured) costs no service anything.
 */
export function seedCloud(database: Database, seed: CloudSeed, hasher: SeedHasher): Promise<string[]> {
  return database.prisma.$transaction(
    async (prisma) => {
      // Two at once would both find nothing.
      await lockForRevocation(rawOn(prisma))
      const seeding = new Seeding(prisma, seed, hasher)
      await seeding.run()
      return seeding.done
    },
    { timeout: timeoutMs },
  )
}

class Seeding {
  readonly done: string[] = []

  constructor(
    private readonly prisma: Prisma.TransactionClient,
    private readonly seed: CloudSeed,
    private readonly hasher: SeedHasher,
  ) {}

  async run(): Promise<void> {
    await this.ensureDomain()
    await this.ensureRoles()
    for (const tenant of this.seed.tenants) await this.ensureTenant(tenant)
    await this.ensureFlavors()
  }

  private async ensureDomain(): Promise<void> {
    const { domain } = this.seed
    if (await this.prisma.domain.findUnique({ where: { id: domain.id } })) return
    await this.prisma.domain.create({ data: domain })
    this.done.push(`created domain ${domain.name}`)
  }

  private async ensureRoles(): Promise<void> {
    const known = new Set((await this.prisma.role.findMany({ select: { name: true } })).map(({ name }) => name))
    const missing = this.seed.roles.filter(({ name }) => !known.has(name))
    await this.prisma.role.createMany({ data: missing })
    this.done.push(...missing.map(({ name }) => `created role ${name}`))
  }

  private async ensureTenant(tenant: TenantSeed): Promise<void> {
    const projectId = await this.ensureProject(tenant)
    const userId = await this.ensureUser(tenant, projectId)
    await this.ensureRole(userId, tenant.role, 'project', projectId, tenant.name)
    if (tenant.onSystem) await this.ensureRole(userId, tenant.role, 'system', 'all', 'the system')
  }

  private async ensureProject({ name, projectId, projectDescription }: TenantSeed): Promise<string> {
    const domainId = this.seed.domain.id
    const known = await this.prisma.project.findUnique({ where: { domainId_name: { domainId, name } } })
    if (known) return known.id
    await this.prisma.project.create({ data: { id: projectId, domainId, name, description: projectDescription } })
    this.done.push(`created project ${name}`)
    return projectId
  }

  private async ensureUser({ name, userId, password }: TenantSeed, defaultProjectId: string): Promise<string> {
    const domainId = this.seed.domain.id
    const known = await this.prisma.user.findUnique({ where: { domainId_name: { domainId, name } } })
    if (!known) {
      const passwordHash = await this.hasher.hash(password)
      await this.prisma.user.create({ data: { id: userId, domainId, name, defaultProjectId, passwordHash } })
      this.done.push(`created user ${name}`)
      return userId
    }
    if (!(await this.hasher.matches(password, known.passwordHash))) {
      const passwordHash = await this.hasher.hash(password)
      await this.prisma.user.update({ where: { id: known.id }, data: { passwordHash } })
      await markRevoked(rawOn(this.prisma), 'user', known.id)
      this.done.push(`set the password of user ${name}`)
    }
    return known.id
  }

  private async ensureRole(userId: string, roleName: string, targetKind: string, targetId: string, targetName: string) {
    const { id: roleId } = await this.prisma.role.findUniqueOrThrow({ where: { name: roleName } })
    const assignment = { userId, roleId, targetKind, targetId }
    if (await this.prisma.roleAssignment.findUnique({ where: { userId_targetKind_targetId_roleId: assignment } })) return
    await this.prisma.roleAssignment.create({ data: assignment })
    this.done.push(`gave role ${roleName} on ${targetName}`)
  }

  private async ensureFlavors(): Promise<void> {
    if ((await this.prisma.flavor.count()) > 0) return
    const { count } = await this.prisma.flavor.createMany({ data: [...this.seed.flavors] })
    this.done.push(`created ${count} flavors`)
  }
}

/** The named statements on Prisma's transaction. */
const rawOn = (prisma: Prisma.TransactionClient): Transaction => ({
  inTransaction: true,
  query: (text, values = []) => prisma.$queryRawUnsafe(text, ...values),
  execute: (text, values = []) => prisma.$executeRawUnsafe(text, ...values),
})
