import { Controller, Get, Inject, Param, Query } from '@nestjs/common'
import { anyCaller, isCloudAdmin, policy, type Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import { readAddressUse, type Database } from '@nubo/database'
import { CurrentCaller, Guarded } from '@nubo/service-kit'
import { anyQuery, fieldsOf, type AnyQuery } from '../base/listing-query.js'
import { chosen, only } from '../base/plain-list.js'
import { networks } from '../networks/networks.js'
import { addressUseView, ofVersions } from './address-use.views.js'

/** For operators. As in Neutron, others are not refused: for them there are none. */
const addressUsePolicy = policy('get_network_ip_availability', 'Say how many addresses of networks are in use.', anyCaller)

/** https://docs.openstack.org/api-ref/network/v2/#network-ip-availability-and-usage-stats */
@Controller('v2.0/network-ip-availabilities')
export class AddressUseController {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  @Get()
  @Guarded(addressUsePolicy)
  async list(@CurrentCaller() caller: Caller, @Query({ schema: anyQuery }) { ip_version: versions, ...query }: AnyQuery) {
    const uses = ofVersions(await this.uses(caller), versions)
    return { network_ip_availabilities: chosen(uses.map(addressUseView), query, 'network_id') }
  }

  @Get(':network_id')
  @Guarded(addressUsePolicy)
  async show(@CurrentCaller() caller: Caller, @Param('network_id') id: string, @Query({ schema: anyQuery }) query: AnyQuery) {
    const use = (await this.uses(caller)).find((network) => network.id === id)
    if (!use) throw networks.notFound(id)
    return { network_ip_availability: only(addressUseView(use), fieldsOf(query)) }
  }

  private async uses(caller: Caller) {
    return isCloudAdmin(caller) ? await readAddressUse(this.database) : []
  }
}
