import { readFileSync } from 'node:fs'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { parse } from 'yaml'

type Schema = Record<string, unknown>

interface Operation {
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>
}

/** What a description says of a part of it beside JSON schema. */
interface VersionNotes {
  'min-ver'?: string
  'max-ver'?: string
  'action-name'?: string
  discriminator?: 'microversion' | 'action'
}

interface View {
  /** 2.`minor`. */
  minor: number
  isAnswer: boolean
  /** The action that a request asks for, where its route takes several. */
  action: string | undefined
}

const ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false, unicodeRegExp: false, logger: false })
formats.default(ajv)
/** OpenStack calls the ids of projects and users UUIDs, and writes them without dashes. */
ajv.addFormat('uuid', /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i)

/** The published description of one API: what its requests and answers look like, in each of its microversions. */
export class Description {
  private readonly schemas: Record<string, Schema>
  private readonly operations = new Map<string, Operation>()
  private readonly validators = new Map<string, ValidateFunction>()
  private readonly compiled = new Map<string, ValidateFunction>()

  constructor(file: string) {
    const document = parse(readFileSync(file, 'utf8'), { maxAliasCount: -1 })
    this.schemas = document.components.schemas
    for (const [path, methods] of Object.entries<Record<string, Operation>>(document.paths))
      for (const [method, operation] of Object.entries(methods))
        this.operations.set(`${method.toUpperCase()} ${withoutNames(path)}`, operation)
  }

  /** Whether it knows of a body that `method route` takes or answers with; the route is as it is served ('/v2.1/servers/:id'). */
  describesBodies(method: string, route: string): boolean {
    const operation = this.operations.get(`${method} ${withoutNames(route)}`)
    return operation !== undefined && (operation.requestBody !== undefined || answersOf(operation).length > 0)
  }

  /** What is wrong with an answer's body in 2.`minor`, one line a fault. */
  faultsOfAnswer(method: string, route: string, body: unknown, minor: number): string[] {
    const operation = this.operations.get(`${method} ${withoutNames(route)}`)
    const schemas = operation ? answersOf(operation) : []
    return this.faults(`${method} ${route} answer`, schemas, body, { minor, isAnswer: true, action: undefined })
  }

  /** What is wrong with a request's body in 2.`minor`, one line a fault. */
  faultsOfRequest(method: string, route: string, body: unknown, minor: number): string[] {
    const content = this.operations.get(`${method} ${withoutNames(route)}`)?.requestBody?.content ?? {}
    const schemas = Object.values(content).map(({ schema }) => schema)
    const action = body !== null && typeof body === 'object' ? Object.keys(body)[0] : undefined
    return this.faults(`${method} ${route} request`, schemas, body, { minor, isAnswer: false, action })
  }

  private faults(name: string, schemas: readonly Schema[], body: unknown, by: View): string[] {
    if (schemas.length === 0) return []
    const key = `${name} ${by.minor} ${by.action}`
    let validate = this.validators.get(key)
    if (!validate) {
      const seen = schemas.map((schema) => this.view(schema, by))
      this.validators.set(key, (validate = this.compile(seen.length === 1 ? seen[0] : { anyOf: seen })))
    }
    return validate(body) ? [] : (validate.errors ?? []).map(inWords)
  }

  /** Most versions have the schema of the one before them. */
  private compile(schema: unknown): ValidateFunction {
    const text = JSON.stringify(schema)
    let validate = this.compiled.get(text)
    if (!validate) this.compiled.set(text, (validate = ajv.compile(schema as Schema)))
    return validate
  }

  /** `schema` as it is in one version: references followed, and what belongs to other versions forbidden. */
  private view(schema: unknown, by: View): unknown {
    if (Array.isArray(schema)) return schema.map((each) => this.view(each, by))
    if (schema === null || typeof schema !== 'object') return schema
    const { 'x-openstack': notes = {}, ...rest } = this.followed(schema as Schema) as Schema & { 'x-openstack'?: VersionNotes }
    if (!holds(notes, by.minor)) return false
    if (notes.discriminator && Array.isArray(rest.oneOf)) return this.chosen(rest.oneOf as Schema[], notes, by)
    const seen = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, this.view(value, by)]))
    // Draft 4's spelling.
    if (seen.exclusiveMinimum === true) seen.exclusiveMinimum = seen.minimum
    return by.isAnswer ? { ...seen, ...broughtByVersions(rest, by.minor) } : seen
  }

  /** The branches for this version and action: one, if the description is good. */
  private chosen(branches: readonly Schema[], { discriminator }: VersionNotes, by: View): unknown {
    const fitting = branches.filter((branch) => {
      const notes = (this.followed(branch)['x-openstack'] ?? {}) as VersionNotes
      const isAsked = discriminator !== 'action' || notes['action-name'] === undefined || notes['action-name'] === by.action
      return isAsked && holds(notes, by.minor)
    })
    const seen = fitting.map((branch) => this.view(branch, by))
    return seen.length === 1 ? seen[0] : { anyOf: seen }
  }

  private followed(schema: Schema): Schema {
    const { $ref } = schema
    return typeof $ref === 'string' ? this.followed(this.schemas[$ref.split('/').at(-1)!]!) : schema
  }
}

/** What good answers may look like. */
const answersOf = ({ responses }: Operation): Schema[] =>
  Object.entries(responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([, answer]) => answer.content?.['application/json']?.schema)
    .filter((schema) => schema !== undefined)

/** The description says of hardly any field that it is always there; but one that belongs to some versions is there in those. */
function broughtByVersions({ properties = {}, required = [] }: Schema, minor: number): Schema {
  const notesOf = (property: unknown) => (property as Schema)['x-openstack'] as VersionNotes | undefined
  const brought = Object.entries(properties as Schema).filter(
    ([, property]) => notesOf(property) && holds(notesOf(property)!, minor),
  )
  return brought.length > 0 ? { required: [...(required as string[]), ...brought.map(([name]) => name)] } : {}
}

const minorOf = (version: string | undefined, otherwise: number) =>
  version === undefined ? otherwise : Number(version.split('.')[1])

const holds = (notes: VersionNotes, minor: number) =>
  minorOf(notes['min-ver'], 0) <= minor && minor <= minorOf(notes['max-ver'], Infinity)

/** '/servers/{id}' and '/servers/:id' are the same. */
const withoutNames = (path: string) => path.replace(/\/$/, '').replaceAll(/\{[^}]+\}|:[^/]+/g, '{}')

/** '/server/description must be string', with the places of lists left out: one fault is one line. */
const inWords = ({ instancePath, message }: ErrorObject) => `${instancePath.replaceAll(/\/\d+(?=\/|$)/g, '/*')} ${message}`
