import { Inject, Injectable } from '@nestjs/common'
import { RevocationList } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  deleteEmptyDomain,
  findDomain,
  insertDomain,
  isUniqueViolation,
  listDomains,
  lockForRevocation,
  markRevoked,
  updateDomain,
  type Database,
  type DomainRow,
  type Once,
} from '@nubo/database'
import { CloudError, type DomainId, type Random } from '@nubo/kernel'
import { RANDOM } from '@nubo/service-kit'
import { defaultDomainId, newIdentityId } from '../identifiers.js'
import { duplicateName, forbidden, notFound } from '../identity-errors.js'
import type { CreateDomain, DomainQuery, UpdateDomain } from './domains.schemas.js'

@Injectable()
export class DomainsService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(RANDOM) private readonly random: Random,
    private readonly revocations: RevocationList,
  ) {}

  list(query: DomainQuery): Promise<DomainRow[]> {
    return listDomains(this.database, query)
  }

  async find(id: string): Promise<DomainRow> {
    const domain = await findDomain(this.database, id)
    if (!domain) throw notFound('domain', id)
    return domain
  }

  create({ name, description, enabled = true }: CreateDomain, once: Once<DomainRow>): Promise<DomainRow> {
    const id = newIdentityId<DomainId>(this.random)
    const row = { id, name, description: description ?? '', enabled }
    return orDuplicate(
      once.run(this.database, (db) => insertDomain(db, row)),
      name,
    )
  }

  async update(id: string, { name, description, enabled }: UpdateDomain): Promise<DomainRow> {
    if (id === defaultDomainId && enabled === false) throw forbidden('The default domain cannot be disabled.')
    const change = { name, enabled, description: description === undefined ? undefined : (description ?? '') }
    const updated = await orDuplicate(
      this.database.transaction(async (tx) => {
        if (enabled === false) await lockForRevocation(tx)
        const domain = await updateDomain(tx, id, change)
        if (domain && enabled === false) await markRevoked(tx, 'domain', id)
        return domain
      }),
      name ?? id,
    )
    if (!updated) throw notFound('domain', id)
    this.revocations.forget()
    return updated
  }

  /** Keystone deletes a disabled domain with all that is in it; here it must be empty first. */
  async delete(id: string): Promise<void> {
    const domain = await this.find(id)
    if (domain.enabled) throw forbidden('Cannot delete a domain that is enabled, please disable it first.')
    await this.database.transaction(async (tx) => {
      await lockForRevocation(tx)
      if (!(await deleteEmptyDomain(tx, id)))
        throw new CloudError('Conflict', `Domain ${id} still has projects or users. Delete them first.`)
      await markRevoked(tx, 'domain', id)
    })
    this.revocations.forget()
  }
}

async function orDuplicate<T>(work: Promise<T>, name: string): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (isUniqueViolation(error, 'domains_name_key')) throw duplicateName('domain', name)
    throw error
  }
}
