import type { Rule } from '@nubo/auth'
import type { z } from 'zod'

/** One attribute of a resource, as clients see and give it. */
export interface Attribute<Row> {
  /** The field of the record that it shows; lists are filtered and sorted by it. */
  column?: keyof Row & string
  /** What it shows, where that is not the field as it stands. */
  view?: (row: Row) => unknown
  /** What may be given; an attribute without it is read-only. */
  input?: z.ZodType
  /** When it may be given, where not at both. */
  on?: 'create' | 'update'
  /** To be given on create. */
  required?: true
  /** What it is where nothing was given on create. */
  default?: unknown
  /** Who may give it; its default may be given by everybody. Where nothing is said, whoever may give the others. */
  setBy?: Rule
  /** Who is shown it. */
  seenBy?: Rule
}

export type Attributes<Row> = Readonly<Record<string, Attribute<Row>>>

type Input<A> = A extends { input: infer Schema extends z.ZodType } ? z.output<Schema> : never
type Givable<A> = { [Name in keyof A]: A[Name] extends { input: z.ZodType } ? Name : never }[keyof A]
type Certain<A> = {
  [Name in keyof A]: A[Name] extends { input: z.ZodType } & ({ required: true } | { default: {} | null }) ? Name : never
}[keyof A]

/** What is to be changed of a resource. */
export type Changes<A> = { [Name in Givable<A>]?: Input<A[Name]> }

/** What a new resource is to be, with defaults for what was not given. `project_id` is whose it will be. */
export type Wanted<A> = Omit<Changes<A>, Certain<A> | 'project_id'> & { [Name in Certain<A>]: Input<A[Name]> } & {
  project_id: string
}
