import type { ServiceRow } from '@nubo/database'
import { ignoreQueryExcept, microversion, sourceOf } from '@nubo/wire'
import { listServicesQueryNames } from './services.schemas.js'

type View = Record<string, unknown>

/** What each microversion changed of services, told from the newest shapes backwards. */
export const serviceMicroversions = [
  microversion('2.11', 'services show that they were declared down, and can be', {
    responses: {
      service: (service: View) => {
        delete service['forced_down']
      },
    },
  }),
  microversion('2.53', 'services are known by uuids and changed by PUT /os-services/{id}', {
    responses: {
      service: (service: View) => {
        service['id'] = sourceOf<ServiceRow>(service).number
      },
    },
  }),
  microversion('2.69', 'there are no cells: every service is always shown whole'),
  microversion('2.75', 'unknown query parameters of services are an error', {
    requests: { 'service.list': ignoreQueryExcept(listServicesQueryNames) },
  }),
]
