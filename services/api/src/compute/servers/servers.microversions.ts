import type { ServerRow } from '@nubo/database'
import { CloudError } from '@nubo/kernel'
import {
  ignoreQuery,
  ignoreQueryExcept,
  microversion,
  objectAt,
  refuseKeys,
  refuseQuery,
  sourceOf,
  type UpgradingRequest,
} from '@nubo/wire'
import { serverQueryNames } from './server-query.js'

const attribute = (name: string) => `OS-EXT-SRV-ATTR:${name}`

/** Edits away what a version added to its answers. */
function without(...names: string[]) {
  return (view: Record<string, unknown>) => {
    for (const name of names) delete view[name]
  }
}

/** Attributes that only an administrator saw before they were shown to everybody. */
function hideFromTenants(view: Record<string, unknown>): void {
  if (!(attribute('host') in view)) delete view[attribute('hostname')]
}

/** Before 2.37 `networks` could be left out: an empty list says as much. The words did not exist yet. */
function upgradeNetworks(request: UpgradingRequest): void {
  const server = objectAt(request.body, 'server')
  if (!server) return
  if (typeof server.networks === 'string') {
    throw new CloudError(
      'Invalid',
      `Invalid input for field/attribute networks. Value: ${server.networks}. '${server.networks}' is not of type 'array'`,
    )
  }
  server.networks ??= []
}

/** Before 2.94 a host name was one label. */
function refuseDomainNames(request: UpgradingRequest): void {
  const hostname = objectAt(request.body, 'server')?.hostname
  if (typeof hostname === 'string' && (hostname.includes('.') || hostname.length > 63)) {
    throw new CloudError(
      'Invalid',
      `Invalid input for field/attribute hostname. Value: ${hostname}. '${hostname}' is not a host name of one label.`,
    )
  }
}

/** An unknown status was an empty list before it was an error. */
function ignoreUnknownStatus(request: UpgradingRequest): void {
  request.query.statusIsLenient = 'true'
}

const inServer = (...keys: string[]) => refuseKeys(['server'], keys)

/** What each microversion changed of servers, told from the newest shapes backwards. */
export const serverMicroversions = [
  microversion('2.3', 'administrators see how a server was made', {
    responses: {
      server: without(
        ...['hostname', 'reservation_id', 'launch_index', 'kernel_id', 'ramdisk_id', 'root_device_name', 'user_data'].map(
          attribute,
        ),
      ),
    },
  }),
  microversion('2.9', 'servers say whether they are locked', { responses: { server: without('locked') } }),
  microversion('2.16', 'administrators see the status of the host', { responses: { server: without('host_status') } }),
  microversion('2.19', 'servers have a description', {
    requests: { 'server.create': inServer('description'), 'server.update': inServer('description') },
    responses: { server: without('description') },
  }),
  microversion('2.26', 'servers show their tags and are listed by them', {
    requests: {
      'server.list': ignoreQuery(['tags', 'tags-any', 'not-tags', 'not-tags-any']),
      'server.detail': ignoreQuery(['tags', 'tags-any', 'not-tags', 'not-tags-any']),
    },
    responses: { server: without('tags') },
    missing: 'the routes below /servers/{id}/tags',
  }),
  microversion('2.32', 'networks of a new server take a tag', { missing: 'tags of block devices: there are no volumes' }),
  microversion('2.37', 'networks are auto, none or a list, and must be said', { requests: { 'server.create': upgradeNetworks } }),
  microversion('2.38', 'an unknown status in a list is an error', {
    requests: { 'server.list': ignoreUnknownStatus, 'server.detail': ignoreUnknownStatus },
  }),
  microversion('2.42', 'networks of a new server have their tag again', {
    missing: 'tags of block devices: there are no volumes',
  }),
  microversion('2.44', 'addresses are given to servers by the network API', {
    removed: ['server.action.addFixedIp', 'server.action.removeFixedIp'],
    missing: 'the other proxies to the network service, which are gone since',
  }),
  microversion('2.49', 'interfaces are attached with a tag', {
    requests: { 'server-interface.create': refuseKeys(['interfaceAttachment'], ['tag']) },
    missing: 'volumes',
  }),
  microversion('2.70', 'attached interfaces show their tag', {
    responses: { 'server-interface': without('tag') },
    missing: 'volumes',
  }),
  microversion('2.47', 'a server shows its flavor itself, not a link to it', {
    responses: {
      server: (view, { baseUrl }) => {
        const { flavorId } = sourceOf<ServerRow>(view)
        view.flavor = { id: flavorId, links: [{ rel: 'bookmark', href: `${baseUrl}/flavors/${flavorId}` }] }
      },
    },
  }),
  microversion('2.52', 'servers are created with tags', { requests: { 'server.create': inServer('tags') } }),
  microversion('2.63', 'servers show trusted image certificates', {
    requests: { 'server.create': inServer('trusted_image_certificates') },
    responses: { server: without('trusted_image_certificates') },
    missing: 'signatures of images are not verified: naming a certificate is refused',
  }),
  microversion('2.66', 'servers and their actions are listed by changes-before', {
    requests: {
      'server.list': ignoreQuery(['changes-before']),
      'server.detail': ignoreQuery(['changes-before']),
      'instance-action.list': refuseQuery(['changes-before']),
    },
  }),
  microversion('2.71', 'servers show their group', { responses: { server: without('server_groups') }, missing: 'server groups' }),
  microversion('2.73', 'a lock has a reason', {
    requests: {
      'server.action.lock': lockHadNoReason,
      'server.list': ignoreQuery(['locked']),
      'server.detail': ignoreQuery(['locked']),
    },
    responses: { server: without('locked_reason') },
  }),
  microversion('2.74', 'administrators name the host of a new server', {
    requests: { 'server.create': inServer('host', 'hypervisor_hostname') },
    missing: 'naming a host is refused: its place is left to the scheduler',
  }),
  microversion('2.75', 'unknown query parameters are an error; an update answers with all of the server', {
    requests: { 'server.list': ignoreQueryExcept(serverQueryNames), 'server.detail': ignoreQueryExcept(serverQueryNames) },
    responses: { 'server.update': keepOldUpdateAnswer },
  }),
  microversion('2.90', 'servers are created with a host name of their own, which they show', {
    requests: { 'server.create': inServer('hostname'), 'server.update': inServer('hostname') },
    responses: { server: hideFromTenants },
  }),
  microversion('2.94', 'a host name may be a whole domain name', {
    requests: { 'server.create': refuseDomainNames, 'server.update': refuseDomainNames },
  }),
  microversion('2.96', 'servers show the availability zone they are pinned to', {
    responses: { server: without('pinned_availability_zone') },
  }),
  microversion('2.57', 'files are no longer injected', { requests: {} }),
  microversion('2.58', 'instance actions have updated_at and pages', {
    requests: { 'instance-action.list': ignoreQueryExcept([]) },
    responses: { 'instance-action': without('updated_at') },
  }),
  microversion('2.51', 'tenants see the events of an action', {
    responses: { 'instance-action.show': eventsForAdministratorsAlone },
  }),
  microversion('2.62', 'events of an action say where they happened', {
    responses: { 'instance-action.show': eventsWithout('host', 'hostId') },
  }),
  microversion('2.84', 'events of an action say what went wrong', {
    responses: { 'instance-action.show': eventsWithout('details') },
  }),
]

/** Nova looked at nothing below `lock` (`nova/api/openstack/compute/lock_server.py`); Tempest sends an object. */
function lockHadNoReason({ body }: UpgradingRequest): void {
  if (body !== null && typeof body === 'object' && 'lock' in body) body.lock = null
}

function keepOldUpdateAnswer(body: { server: Record<string, unknown> }): void {
  const kept = new Set([
    ...[
      'id',
      'name',
      'status',
      'tenant_id',
      'user_id',
      'metadata',
      'hostId',
      'image',
      'flavor',
      'created',
      'updated',
      'addresses',
    ],
    ...[
      'accessIPv4',
      'accessIPv6',
      'links',
      'OS-DCF:diskConfig',
      'progress',
      'fault',
      'locked',
      'locked_reason',
      'description',
      'tags',
    ],
    ...['trusted_image_certificates', 'server_groups'],
  ])
  for (const name of Object.keys(body.server)) if (!kept.has(name)) delete body.server[name]
}

interface ActionBody {
  instanceAction: { events?: Record<string, unknown>[] }
}

function eventsWithout(...names: string[]) {
  return ({ instanceAction }: ActionBody) => {
    for (const event of instanceAction.events ?? []) for (const name of names) delete event[name]
  }
}

/** An administrator's events carry a traceback, so that is how they are told apart here. */
function eventsForAdministratorsAlone({ instanceAction }: ActionBody): void {
  if (!instanceAction.events?.every((event) => 'traceback' in event)) delete instanceAction.events
}
