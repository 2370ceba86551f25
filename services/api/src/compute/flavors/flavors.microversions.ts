import { ignoreQueryExcept, microversion, refuseKeys } from '@nubo/wire'
import { listFlavorsQueryNames } from './flavors.schemas.js'

type View = Record<string, unknown>

const withoutDescription = (flavor: View) => {
  delete flavor['description']
}

/** What each microversion changed of flavors, told from the newest shapes backwards. */
export const flavorMicroversions = [
  microversion('2.7', 'granting access to a public flavor is refused'),
  microversion('2.55', 'flavors have a description, which can be changed', {
    added: ['flavor.update'],
    requests: { 'flavor.create': refuseKeys(['flavor'], ['description']) },
    responses: { flavor: withoutDescription, 'flavor-brief': withoutDescription },
  }),
  microversion('2.61', 'flavors show their extra specs to whoever may list them', {
    responses: {
      flavor: (flavor: View) => {
        delete flavor['extra_specs']
      },
    },
  }),
  microversion('2.75', 'no swap is 0, not ""; unknown query parameters of lists of flavors are an error', {
    requests: {
      'flavor.list': ignoreQueryExcept(listFlavorsQueryNames),
      'flavor.detail': ignoreQueryExcept(listFlavorsQueryNames),
    },
    responses: {
      flavor: (flavor: View) => {
        if (flavor['swap'] === 0) flavor['swap'] = ''
      },
    },
  }),
  microversion('2.86', 'known extra specs are validated', {
    missing: 'names of traits and resource classes are held against their form, not against the standard lists',
  }),
]
