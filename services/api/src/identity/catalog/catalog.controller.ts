import { Controller, Get, Param, Query, Req } from '@nestjs/common'
import { BaseUrl, Guarded } from '@nubo/service-kit'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { collectionView, selfLink } from '../collection.view.js'
import { notFound } from '../identity-errors.js'
import {
  getEndpointPolicy,
  getRegionPolicy,
  getServicePolicy,
  listEndpointsPolicy,
  listRegionsPolicy,
  listServicesPolicy,
} from '../identity.policies.js'
import { query } from '../schemas.js'
import { Catalog, type CatalogEndpoint, type CatalogService } from './catalog.js'

const serviceQuery = query({ type: z.string().optional(), name: z.string().optional() })
const endpointQuery = query({
  interface: z.string().optional(),
  service_id: z.string().optional(),
  region_id: z.string().optional(),
})

const serviceView = ({ id, type, name, description }: CatalogService, baseUrl: string) => ({
  id,
  type,
  name,
  description,
  enabled: true,
  links: selfLink(baseUrl, `services/${id}`),
})

const endpointView = ({ id, serviceId, interface: kind, region, url }: CatalogEndpoint, baseUrl: string) => ({
  id,
  interface: kind,
  region_id: region,
  region,
  service_id: serviceId,
  url,
  enabled: true,
  links: selfLink(baseUrl, `endpoints/${id}`),
})

const regionView = (id: string, baseUrl: string) => ({
  id,
  description: '',
  parent_region_id: null,
  links: selfLink(baseUrl, `regions/${id}`),
})

/** Services, endpoints and regions, to be read: what is where comes from the configuration. */
@Controller('v3')
export class CatalogController {
  constructor(private readonly catalog: Catalog) {}

  @Get('services')
  @Guarded(listServicesPolicy)
  services(
    @Query({ schema: serviceQuery }) { type, name }: z.output<typeof serviceQuery>,
    @BaseUrl() baseUrl: string,
    @Req() request: FastifyRequest,
  ) {
    const found = this.catalog.services.filter(
      (service) => (type ?? service.type) === service.type && (name ?? service.name) === service.name,
    )
    return collectionView(
      'services',
      found.map((service) => serviceView(service, baseUrl)),
      baseUrl,
      request,
    )
  }

  @Get('services/:service_id')
  @Guarded(getServicePolicy)
  service(@Param('service_id') id: string, @BaseUrl() baseUrl: string) {
    const service = this.catalog.services.find((item) => item.id === id)
    if (!service) throw notFound('service', id)
    return { service: serviceView(service, baseUrl) }
  }

  @Get('endpoints')
  @Guarded(listEndpointsPolicy)
  endpoints(
    @Query({ schema: endpointQuery }) wanted: z.output<typeof endpointQuery>,
    @BaseUrl() baseUrl: string,
    @Req() request: FastifyRequest,
  ) {
    const found = this.catalog.services
      .flatMap((service) => service.endpoints)
      .filter(
        (endpoint) =>
          (wanted.interface ?? endpoint.interface) === endpoint.interface &&
          (wanted.service_id ?? endpoint.serviceId) === endpoint.serviceId &&
          (wanted.region_id ?? endpoint.region) === endpoint.region,
      )
    return collectionView(
      'endpoints',
      found.map((endpoint) => endpointView(endpoint, baseUrl)),
      baseUrl,
      request,
    )
  }

  @Get('endpoints/:endpoint_id')
  @Guarded(getEndpointPolicy)
  endpoint(@Param('endpoint_id') id: string, @BaseUrl() baseUrl: string) {
    const endpoint = this.catalog.services.flatMap((service) => service.endpoints).find((item) => item.id === id)
    if (!endpoint) throw notFound('endpoint', id)
    return { endpoint: endpointView(endpoint, baseUrl) }
  }

  @Get('regions')
  @Guarded(listRegionsPolicy)
  regions(@BaseUrl() baseUrl: string, @Req() request: FastifyRequest) {
    return collectionView('regions', [regionView(this.catalog.region, baseUrl)], baseUrl, request)
  }

  @Get('regions/:region_id')
  @Guarded(getRegionPolicy)
  region(@Param('region_id') id: string, @BaseUrl() baseUrl: string) {
    if (id !== this.catalog.region) throw notFound('region', id)
    return { region: regionView(id, baseUrl) }
  }
}
