import { createHash } from 'node:crypto'
import { Inject, Injectable } from '@nestjs/common'
import { CONFIGURATION } from '@nubo/service-kit'
import type { ApiConfiguration } from '../../configuration.js'

export interface CatalogEndpoint {
  id: string
  serviceId: string
  interface: 'public' | 'internal' | 'admin'
  region: string
  url: string
}

export interface CatalogService {
  id: string
  type: string
  name: string
  description: string
  endpoints: readonly CatalogEndpoint[]
}

const interfaces = ['public', 'internal', 'admin'] as const

/** The same id in every process and after every start, without a table: what it names comes from the configuration. */
const stableId = (...parts: readonly string[]) => createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32)

/** What can be reached where. Services that are not built are not published. */
@Injectable()
export class Catalog {
  readonly region: string
  readonly services: readonly CatalogService[]

  constructor(@Inject(CONFIGURATION) { region, publicUrl, imageUrl }: ApiConfiguration) {
    this.region = region
    const service = (type: string, name: string, description: string, url: string): CatalogService => {
      const id = stableId(region, type)
      const endpoints = interfaces.map((item) => ({
        id: stableId(region, type, item),
        serviceId: id,
        interface: item,
        region,
        url,
      }))
      return { id, type, name, description, endpoints }
    }
    // Clients append the version to the endpoints of image and network and take the others as they stand.
    this.services = [
      service('identity', 'keystone', 'Identity', `${publicUrl}/v3`),
      service('compute', 'nova', 'Compute', `${publicUrl}/compute/v2.1`),
      service('image', 'glance', 'Images', imageUrl),
      service('network', 'neutron', 'Networks', `${publicUrl}/network`),
    ]
  }
}

/** The catalog as a token carries it. */
export const catalogView = ({ services }: Catalog) =>
  services.map(({ id, type, name, endpoints }) => ({
    endpoints: endpoints.map((endpoint) => ({
      id: endpoint.id,
      interface: endpoint.interface,
      region_id: endpoint.region,
      url: endpoint.url,
      region: endpoint.region,
    })),
    id,
    type,
    name,
  }))
