import { Inject, Injectable } from '@nestjs/common'
import { enforce, type Caller, type Policy } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  countKeypairs,
  deleteKeypair,
  findKeypair,
  insertKeypair,
  listKeypairs,
  readQuota,
  type Database,
  type KeypairRow,
  type NewKeypair,
  type Once,
  type Transaction,
} from '@nubo/database'
import { exceeded, limitsOf } from '@nubo/domain'
import { CloudError, type Clock, type Random, type UserId } from '@nubo/kernel'
import { CLOCK, RANDOM } from '@nubo/service-kit'
import { createKeypairPolicy, deleteKeypairPolicy, listKeypairsPolicy, showKeypairPolicy } from './keypairs.policies.js'
import type { CreateKeypairBody } from './keypairs.schemas.js'
import { generateSshKey, importSshKey, type KeyMaterial } from './ssh-keys.js'
import { generateCertificate, importCertificate } from './x509-keys.js'

export interface CreatedKeypair {
  keypair: KeypairRow
  /** Where one was made: it is not kept. */
  privateKey: string | undefined
}

/** Keys that users log in to their guests with. */
@Injectable()
export class KeypairsService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RANDOM) private readonly random: Random,
  ) {}

  /** A page by name, or all where no limit is given. `user`: whose, where not the caller's own. */
  async list(caller: Caller, user: string | undefined, page: { marker?: string; limit?: number }): Promise<KeypairRow[]> {
    const userId = ownerOf(caller, user, listKeypairsPolicy)
    const { marker } = page
    if (marker !== undefined && !(await findKeypair(this.database, userId, marker)))
      throw new CloudError('Invalid', `Marker ${marker} could not be found.`)
    return await listKeypairs(this.database, userId, page)
  }

  async find(caller: Caller, user: string | undefined, name: string): Promise<KeypairRow> {
    const userId = ownerOf(caller, user, showKeypairPolicy)
    const keypair = await findKeypair(this.database, userId, name)
    if (!keypair) throw notFound(name, userId)
    return keypair
  }

  /** Imports the public key, or makes a key where there is none. The limit is that of the caller's project, for each user. */
  async create(caller: Caller, { keypair }: CreateKeypairBody, once: Once<CreatedKeypair>): Promise<CreatedKeypair> {
    const userId = ownerOf(caller, keypair.user_id, createKeypairPolicy)
    const limit = await this.limitFor(caller)
    const { name, type = 'ssh' } = keypair
    const { publicKey, fingerprint, privateKey } =
      keypair.public_key === undefined
        ? await this.generate(userId, type, limit)
        : (type === 'ssh' ? importSshKey : importCertificate)(keypair.public_key)
    const wanted = { userId, name, type, publicKey, fingerprint }
    return await this.database.transaction((tx) =>
      once.within(tx, async () => ({ keypair: await keep(tx, wanted, limit), privateKey })),
    )
  }

  async delete(caller: Caller, user: string | undefined, name: string): Promise<void> {
    const userId = ownerOf(caller, user, deleteKeypairPolicy)
    const deleted = await deleteKeypair(this.database, userId, name)
    if (!deleted) throw notFound(name, userId)
  }

  /** Keys cost time to make: none is made for whoever has no room for it. */
  private async generate(userId: UserId, type: 'ssh' | 'x509', limit: number): Promise<KeyMaterial> {
    if (limit >= 0 && (await countKeypairs(this.database, userId)) >= limit) throw tooMany(limit)
    return type === 'ssh' ? await generateSshKey() : await generateCertificate(userId, this.clock, this.random)
  }

  private async limitFor({ scope }: Caller): Promise<number> {
    const stored = scope.kind === 'project' ? (await readQuota(this.database, scope.projectId)).limits : {}
    return limitsOf(stored).keyPairs
  }
}

async function keep(tx: Transaction, keypair: NewKeypair, limit: number): Promise<KeypairRow> {
  const kept = await insertKeypair(tx, keypair, limit)
  if (kept === 'limit') throw tooMany(limit)
  if (kept === 'name taken') throw new CloudError('Conflict', `Key pair '${keypair.name}' already exists.`)
  if (kept === 'no such user') throw new CloudError('Invalid', `User ${keypair.userId} could not be found.`)
  return kept
}

/** The user that is named, where the caller may name one; else the caller. */
function ownerOf(caller: Caller, user: string | undefined, policy: Policy): UserId {
  const userId = (user || caller.userId) as UserId
  enforce(policy, caller, { user_id: userId })
  return userId
}

const notFound = (name: string, userId: string) => new CloudError('NotFound', `Keypair ${name} not found for user ${userId}`)

function tooMany(limit: number): CloudError {
  const { message, resources } = exceeded(limitsOf({ keyPairs: limit }), { keyPairs: limit }, { keyPairs: 1 })!
  return new CloudError('QuotaExceeded', message, { details: { resources } })
}
