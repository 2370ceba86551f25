import { Inject, Injectable } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import { deleteExtraSpec, Once, setExtraSpecs, type Database } from '@nubo/database'
import { CloudError } from '@nubo/kernel'
import { checkKnownExtraSpec } from './known-extra-specs.js'
import type { ExtraSpecs } from './flavors.schemas.js'
import { FlavorsService } from './flavors.service.js'

/** Since 2.86 what is known of extra specs is held against their values. */
const checkedSince = 86
const maxCharacters = 255

/** What a flavor asks of hosts and hypervisors beyond its sizes. */
@Injectable()
export class ExtraSpecsService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    private readonly flavors: FlavorsService,
  ) {}

  async list(caller: Caller, flavorId: string): Promise<Record<string, string>> {
    return (await this.flavors.find(caller, flavorId)).extraSpecs
  }

  async show(caller: Caller, flavorId: string, key: string): Promise<Record<string, string>> {
    const specs = await this.list(caller, flavorId)
    if (!Object.hasOwn(specs, key)) throw specNotFound(flavorId, key)
    return { [key]: specs[key]! }
  }

  async set(caller: Caller, flavorId: string, specs: ExtraSpecs, minor: number, once: Once = Once.unkeyed): Promise<void> {
    const kept = Object.fromEntries(Object.entries(specs).map(([key, value]) => [key, checked(key, value, minor)]))
    const flavor = await this.flavors.find(caller, flavorId)
    await once.run(this.database, (db) => setExtraSpecs(db, flavor.id, kept))
  }

  async delete(caller: Caller, flavorId: string, key: string): Promise<void> {
    const flavor = await this.flavors.find(caller, flavorId)
    const deleted = Object.hasOwn(flavor.extraSpecs, key) && (await deleteExtraSpec(this.database, flavor.id, key))
    if (!deleted) throw specNotFound(flavorId, key)
  }
}

const specNotFound = (flavorId: string, key: string) =>
  new CloudError('NotFound', `Flavor ${flavorId} has no extra specs with key ${key}.`)

function checked(key: string, value: string | number, minor: number): string {
  const text = String(value)
  if (text.length > maxCharacters)
    throw new CloudError('Invalid', `Invalid input received: extra_specs value has ${text.length} characters, more than 255.`)
  const problem = minor >= checkedSince ? checkKnownExtraSpec(key, text) : undefined
  if (problem !== undefined) throw new CloudError('Invalid', `Validation failed; ${problem}`)
  return text
}
