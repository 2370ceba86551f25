import { ignoreQuery, ignoreQueryExcept, microversion, objectAt, refuseKeys, type UpgradingRequest } from '@nubo/wire'
import { z } from 'zod'
import { parse } from '../parameter-types.js'

type View = Record<string, unknown>

const withoutType = (keypair: View) => {
  delete keypair['type']
}

/** Names before 2.92 held letters, digits, spaces, dashes and underscores alone. */
const oldName = z.looseObject({ keypair: z.looseObject({ name: z.string().regex(/^[_\- a-zA-Z0-9]+$/) }) })

function refuseNewNames(request: UpgradingRequest): void {
  // What is no name at all is for the schema to refuse.
  if (typeof objectAt(request.body, 'keypair')?.['name'] === 'string') parse(oldName, request.body)
}

/** What each microversion changed of keypairs, told from the newest shapes backwards. */
export const keypairMicroversions = [
  microversion('2.2', 'keypairs have a type; made with 201, deleted with 204', {
    requests: { 'keypair.create': refuseKeys(['keypair'], ['type']) },
    responses: {
      keypair: withoutType,
      'keypair.list': ({ keypairs }: { keypairs: { keypair: View }[] }) => {
        for (const { keypair } of keypairs) withoutType(keypair)
      },
    },
    statusesBefore: { 'keypair.create': 200, 'keypair.delete': 202 },
  }),
  microversion('2.10', 'administrators name the user whose keypairs they mean', {
    requests: {
      'keypair.create': refuseKeys(['keypair'], ['user_id']),
      'keypair.list': ignoreQuery(['user_id']),
      'keypair.show': ignoreQuery(['user_id']),
      'keypair.delete': ignoreQuery(['user_id']),
    },
  }),
  microversion('2.35', 'keypairs come in pages', { requests: { 'keypair.list': ignoreQuery(['limit', 'marker']) } }),
  microversion('2.75', 'unknown query parameters of keypairs are an error', {
    requests: {
      'keypair.list': ignoreQueryExcept(['user_id', 'limit', 'marker']),
      'keypair.show': ignoreQueryExcept(['user_id']),
      'keypair.delete': ignoreQueryExcept(['user_id']),
    },
  }),
  microversion('2.92', 'keypairs are imported alone; their names may hold @ and dots', {
    requests: { 'keypair.create': refuseNewNames },
  }),
]
