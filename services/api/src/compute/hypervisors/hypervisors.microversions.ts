import type { HypervisorRow } from '@nubo/database'
import { ignoreQueryExcept, microversion, sourceOf, type Upgrade } from '@nubo/wire'
import type { PageSource } from './hypervisors.controller.js'
import { resourceFields } from './hypervisors.views.js'

type View = Record<string, unknown>

const lists = (edit: Upgrade) => ({
  'hypervisor.list': edit,
  'hypervisor.detail': edit,
})

/** Before 2.75 an empty list of servers was not shown. */
function withoutEmptyServers(hypervisor: View): void {
  const { servers } = hypervisor
  if (Array.isArray(servers) && servers.length === 0) delete hypervisor['servers']
}

/** Before 2.53 hypervisors and services were known by numbers. */
function byNumber(hypervisor: View): void {
  const { number, serviceNumber } = sourceOf<HypervisorRow>(hypervisor)
  hypervisor['id'] = number
  const service = hypervisor['service'] as View | undefined
  if (service) service['id'] = serviceNumber
}

function linkByNumber(body: object): void {
  const source = sourceOf<PageSource | undefined>(body)
  if (source)
    Object.assign(
      body,
      source.linkBy(({ number }) => String(number)),
    )
}

const withoutLinks = (body: View) => {
  delete body['hypervisors_links']
}

/** What each microversion changed of hypervisors, told from the newest shapes backwards. */
export const hypervisorMicroversions = [
  microversion('2.28', 'cpu_info of hypervisors is an object, not text', {
    responses: {
      hypervisor: (hypervisor: View) => {
        hypervisor['cpu_info'] = JSON.stringify(hypervisor['cpu_info'])
      },
    },
  }),
  microversion('2.33', 'hypervisors come in pages', {
    requests: lists(ignoreQueryExcept([])),
    responses: { 'hypervisor.list': withoutLinks, 'hypervisor.detail': withoutLinks },
  }),
  microversion('2.53', 'hypervisors are known by uuids, found by a pattern and listed with their servers', {
    requests: { ...lists(ignoreQueryExcept(['limit', 'marker'])), 'hypervisor.show': ignoreQueryExcept([]) },
    responses: {
      hypervisor: byNumber,
      'hypervisor-brief': byNumber,
      'hypervisor.list': linkByNumber,
      'hypervisor.detail': linkByNumber,
    },
    removed: ['hypervisor.search', 'hypervisor.servers'],
  }),
  microversion('2.75', 'servers of hypervisors are listed even where there are none', {
    responses: { hypervisor: withoutEmptyServers, 'hypervisor-brief': withoutEmptyServers },
  }),
  microversion('2.88', 'hypervisors show their uptime, and no longer their room', {
    responses: {
      hypervisor: (hypervisor: View) => {
        delete hypervisor['uptime']
        Object.assign(hypervisor, resourceFields(sourceOf<HypervisorRow>(hypervisor)))
      },
    },
    removed: ['hypervisor.statistics', 'hypervisor.uptime'],
  }),
]
