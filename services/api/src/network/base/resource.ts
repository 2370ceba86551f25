import { enforce, isCloudAdmin, policy, projectMemberOrAdmin, projectReaderOrAdmin, type Caller, type Policy } from '@nubo/auth'
import type { Columns, RecordListing, Records, RowOf, standardColumns } from '@nubo/database'
import { CloudError } from '@nubo/kernel'
import { networkError } from '@nubo/domain'
import type { z } from 'zod'
import type { Attributes, Changes, Wanted } from './attribute.js'
import { createBodySchema, updateBodySchema, type CreateBody } from './bodies.js'
import { listingOf, type AnyQuery } from './listing-query.js'

export interface ResourcePolicies {
  /** To list and to show. */
  get: Policy
  create: Policy
  update: Policy
  delete: Policy
}

/** A resource of the network API, described once: its name, its records, its attributes. */
export interface ResourceDefinition<C extends Columns, A> {
  /** 'security_group': the key of bodies. */
  singular: string
  plural: string
  /** 'SecurityGroup': what Neutron's exceptions begin with. */
  exceptionName: string
  /** In a sentence: 'Security group'. */
  words: string
  /** What is said of one that is not there, where it is not 'could not be found'. */
  absence?: string
  records: Records<C>
  attributes: A & Attributes<RowOf<C>>
  /** Where not those of most: readers of the project see it, members make, change and delete it. */
  policies?: Partial<ResourcePolicies>
  /** The projects that may change or delete a record; its own, where nothing is said. */
  ownersOf?: (row: RowOf<C>) => readonly string[]
}

/** Most have all of `standardColumns`. */
export type ResourceColumns = Columns & Pick<typeof standardColumns, 'id' | 'projectId'>

/** What follows from a resource's description: schemas of its bodies, what lists ask for, what is shown to whom. */
export class Resource<C extends ResourceColumns, A> {
  readonly createBody: z.ZodType<CreateBody<Changes<A>>>
  readonly updateBody: z.ZodType<Changes<A>>
  readonly policies: ResourcePolicies
  /** Below /v2.0. */
  readonly path: string
  private readonly booleans: ReadonlySet<string>
  private readonly attributes: Attributes<RowOf<C>>

  constructor(private readonly definition: ResourceDefinition<C, A>) {
    const { singular, plural, attributes, policies, records } = definition
    this.attributes = attributes
    this.createBody = createBodySchema(singular, plural, attributes) as never
    this.updateBody = updateBodySchema(singular, attributes) as never
    this.policies = { ...usualPolicies(singular), ...policies }
    this.path = plural.replaceAll('_', '-')
    const columns = Object.entries(records.columns)
    this.booleans = new Set(columns.filter(([, { type }]) => type === 'boolean').map(([name]) => name))
  }

  get singular(): string {
    return this.definition.singular
  }

  get plural(): string {
    return this.definition.plural
  }

  get records(): Records<C> {
    return this.definition.records
  }

  get isTagged(): boolean {
    return 'tags' in this.attributes
  }

  listing(query: AnyQuery, caller: Caller): RecordListing<keyof C & string> {
    return listingOf(query, caller, this.attributes, this.booleans) as RecordListing<keyof C & string>
  }

  /** What `caller` is shown of a record; of `fields` alone, where some are named. */
  view(row: RowOf<C>, caller: Caller, fields?: ReadonlySet<string>): Record<string, unknown> {
    const shown: Record<string, unknown> = {}
    for (const [name, { column, view, seenBy }] of Object.entries(this.attributes)) {
      if ((!column && !view) || (fields && !fields.has(name)) || (seenBy && !seenBy(caller, {}))) continue
      shown[name] = view ? view(row) : row[column!]
    }
    return shown
  }

  /** What was given for a new resource, made whole. Throws Forbidden for what `caller` may not give. */
  wanted(given: Changes<A>, caller: Caller): Wanted<A> {
    const values = given as Record<string, unknown>
    this.enforceAttributes('create', values, caller)
    const defaults = Object.entries(this.attributes).filter(
      ([name, attribute]) => 'default' in attribute && values[name] === undefined,
    )
    const project = { project_id: projectFor(values, caller) }
    return {
      ...values,
      ...Object.fromEntries(defaults.map(([name, { default: value }]) => [name, value])),
      ...project,
    } as Wanted<A>
  }

  /** Throws Forbidden for what `caller` may not change. */
  assertChangeable(changes: Changes<A>, caller: Caller): void {
    this.enforceAttributes('update', changes as Record<string, unknown>, caller)
  }

  mayChange(row: RowOf<C>, { scope }: Caller): boolean {
    const owners = this.definition.ownersOf?.(row) ?? [(row as RowOf<Pick<typeof standardColumns, 'projectId'>>).projectId]
    return scope.kind === 'project' && owners.includes(scope.projectId)
  }

  notFound(id: string): CloudError {
    const { exceptionName, words, absence = 'could not be found.' } = this.definition
    return networkError('NotFound', `${exceptionName}NotFound`, `${words} ${id} ${absence}`)
  }

  private enforceAttributes(verb: 'create' | 'update', given: Record<string, unknown>, caller: Caller): void {
    for (const [name, value] of Object.entries(given)) {
      const { setBy, default: usual } = this.attributes[name]!
      if (value === undefined || !setBy || (verb === 'create' && JSON.stringify(value) === JSON.stringify(usual))) continue
      enforce(policy(`${verb}_${this.singular}:${name}`, '', setBy), caller)
    }
  }
}

/** A resource of the network API, with its types worked out from its records and attributes. */
export const resource = <C extends ResourceColumns, const A extends Attributes<RowOf<C>>>(definition: ResourceDefinition<C, A>) =>
  new Resource<C, A>(definition)

const usualPolicies = (singular: string): ResourcePolicies => ({
  get: policy(`get_${singular}`, `List and show: ${singular}.`, projectReaderOrAdmin),
  create: policy(`create_${singular}`, `Make: ${singular}.`, projectMemberOrAdmin),
  update: policy(`update_${singular}`, `Change: ${singular}.`, projectMemberOrAdmin),
  delete: policy(`delete_${singular}`, `Delete: ${singular}.`, projectMemberOrAdmin),
})

/** Whose a new resource is: the caller's, or, for administrators, whoever they name. */
function projectFor({ project_id: project, tenant_id: tenant }: Record<string, unknown>, caller: Caller): string {
  if (project !== undefined && tenant !== undefined && project !== tenant)
    throw new CloudError('Invalid', "'project_id' and 'tenant_id' do not match")
  const named = (project ?? tenant) as string | undefined
  const own = caller.scope.kind === 'project' ? caller.scope.projectId : undefined
  if (named === undefined && own === undefined)
    throw new CloudError('Invalid', 'Running without a project-scoped token requires that project_id is specified')
  if (named !== undefined && named !== own && !isCloudAdmin(caller))
    throw new CloudError(
      'Invalid',
      "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin privileges",
    )
  return (named ?? own)!
}

export type ColumnsOf<R> = R extends Resource<infer C, infer _> ? C : never
export type AttributesOf<R> = R extends Resource<infer _, infer A> ? A : never
