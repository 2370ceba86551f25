import { isCloudAdmin, type Caller } from '@nubo/auth'
import {
  findRecord,
  listRecords,
  lockRecord,
  readRecords,
  writeRecordTags,
  type Database,
  type LockFor,
  type Once,
  type RowOf,
  type Transaction,
} from '@nubo/database'
import { badRequest } from '@nubo/domain'
import { CloudError } from '@nubo/kernel'
import { unroutedMessage, WireError } from '@nubo/wire'
import type { Changes, Wanted } from './attribute.js'
import type { AnyQuery } from './listing-query.js'
import { viewerOf } from './listing-query.js'
import type { Resource, ResourceColumns } from './resource.js'

/** Under which condition a request is carried out: the revision that its client saw last. */
export interface Expected {
  revisionNumber?: number
}

export interface Locking extends Expected {
  lockFor?: LockFor
}

/** Of one record, as in Neutron (neutron/extensions/tagging.py). */
const mostTags = 50

/**
 * The use cases that all resources have in common, each one transaction. What a resource is made, changed and deleted by is
 * its own: `insert`, `change`, `remove`.
 */
export abstract class ResourceService<C extends ResourceColumns, A> {
  constructor(
    readonly resource: Resource<C, A>,
    protected readonly database: Database,
  ) {}

  /** Writes what is wanted, with all that follows from it; returns the ids, in the same order. */
  protected abstract insert(tx: Transaction, wanted: readonly Wanted<A>[], caller: Caller): Promise<string[]>
  /** Changes a record that is locked. */
  protected abstract change(tx: Transaction, row: RowOf<C>, changes: Changes<A>, caller: Caller): Promise<void>
  /** Deletes a record that is locked. */
  protected abstract remove(tx: Transaction, row: RowOf<C>, caller: Caller): Promise<unknown>

  async list(caller: Caller, query: AnyQuery): Promise<RowOf<C>[]> {
    const listing = this.resource.listing(query, caller)
    if (listing.marker !== undefined) await this.find(caller, listing.marker)
    return await listRecords(this.database, this.resource.records, listing)
  }

  async find(caller: Caller, id: string): Promise<RowOf<C>> {
    const row = await findRecord(this.database, this.resource.records, viewerOf(caller), id)
    if (!row) throw this.resource.notFound(id)
    return row
  }

  /** All of them or none. */
  async create(caller: Caller, given: readonly Changes<A>[], once: Once<RowOf<C>[]>): Promise<RowOf<C>[]> {
    const wanted = given.map((each) => this.resource.wanted(each, caller))
    return await this.database.transaction((tx) =>
      once.within(tx, async () => {
        const ids = await this.insert(tx, wanted, caller)
        return await readRecords(tx, this.resource.records, viewerOf(caller), ids)
      }),
    )
  }

  /** Runs `work` on a record that is locked, and that the caller may change, in one transaction. */
  async changing<Result>(caller: Caller, id: string, work: (tx: Transaction, row: RowOf<C>) => Promise<Result>): Promise<Result> {
    return await this.database.transaction(async (tx) => work(tx, await this.lock(tx, caller, id)))
  }

  /** `wanted`: what is to be changed, or what follows from the record as it is. */
  async update(
    caller: Caller,
    id: string,
    wanted: Changes<A> | ((row: RowOf<C>) => Changes<A>),
    expected: Expected = {},
  ): Promise<RowOf<C>> {
    return await this.database.transaction(async (tx) => {
      const row = await this.lock(tx, caller, id, expected)
      const changes = typeof wanted === 'function' ? wanted(row) : wanted
      this.resource.assertChangeable(changes, caller)
      await this.change(tx, row, changes, caller)
      return (await findRecord(tx, this.resource.records, { projectId: viewerOf(caller).projectId, seesAll: true }, id))!
    })
  }

  async delete(caller: Caller, id: string, expected: Expected = {}): Promise<void> {
    await this.database.transaction(async (tx) =>
      this.remove(tx, await this.lock(tx, caller, id, { ...expected, lockFor: 'deletion' }), caller),
    )
  }

  /** Replaces the tags of a record by what `change` makes of them. Returns them. */
  async changeTags(
    caller: Caller,
    id: string,
    change: (tags: readonly string[]) => readonly string[],
  ): Promise<readonly string[]> {
    return await this.database.transaction(async (tx) => {
      const row = await this.lock(tx, caller, id)
      const before = (row as unknown as { tags: string[] }).tags
      const tags = [...new Set(change(before))]
      if (tags.length > mostTags)
        throw badRequest(this.resource.singular, `The number of tags exceed the per-resource limit of ${mostTags}`)
      if (tags.length !== before.length || tags.some((tag) => !before.includes(tag)))
        await writeRecordTags(tx, this.resource.records, id, tags)
      return tags
    })
  }

  /** A record that the caller may change. What is another's is not there for them, even where they see it. */
  protected async lock(tx: Transaction, caller: Caller, id: string, expected: Locking = {}): Promise<RowOf<C>> {
    const row = await lockRecord(tx, this.resource.records, viewerOf(caller), id, expected.lockFor)
    if (!row) throw this.resource.notFound(id)
    if (!isCloudAdmin(caller) && !this.resource.mayChange(row, caller)) throw new CloudError('NotFound', unroutedMessage)
    const { revisionNumber } = row as unknown as { revisionNumber?: number }
    if (expected.revisionNumber !== undefined && expected.revisionNumber !== revisionNumber)
      throw new WireError(412, `Constrained to ${expected.revisionNumber}, but current revision is ${revisionNumber}`, {
        details: { type: 'RevisionNumberConstraintFailed' },
      })
    return row
  }
}
