import { routerRecords, type RouterRow } from '@nubo/database'
import type { HostRoute } from '@nubo/domain'
import { z } from 'zod'
import { zoneAttributes } from '../agents/network-zones.js'
import { booleanLike, ipAddress, listOf, nameText, uuidText } from '../base/attribute-types.js'
import { resource } from '../base/resource.js'
import { standardAttributes, tagsAttribute } from '../base/standard-attributes.js'
import { routeList } from '../subnets/subnets.js'

/** Without a network it is none: `{}` takes a gateway away, as null does. */
const gatewayInput = z
  .strictObject({
    network_id: uuidText.nullable().optional(),
    enable_snat: booleanLike.optional(),
    external_fixed_ips: listOf(z.strictObject({ subnet_id: uuidText.optional(), ip_address: ipAddress.optional() })).optional(),
  })
  .nullable()
export type GatewayInput = z.output<typeof gatewayInput>

/** https://docs.openstack.org/api-ref/network/v2/#routers-routers */
export const routers = resource({
  singular: 'router',
  plural: 'routers',
  exceptionName: 'Router',
  words: 'Router',
  records: routerRecords,
  attributes: {
    ...standardAttributes,
    ...tagsAttribute,
    name: { column: 'name', input: nameText, default: '' },
    admin_state_up: { column: 'adminStateUp', input: booleanLike, default: true },
    status: { column: 'status' },
    external_gateway_info: { view: gatewayView, input: gatewayInput, default: null },
    routes: { view: ({ routes }): HostRoute[] => routes, input: routeList, on: 'update' },
    ...zoneAttributes,
  },
})

function gatewayView({ gateway, snat }: RouterRow) {
  return gateway && { network_id: gateway.networkId, external_fixed_ips: gateway.fixedIps, enable_snat: snat }
}
