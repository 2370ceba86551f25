import { Body, Controller, HttpCode, Param, Post, Res } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { Once } from '@nubo/database'
import type { RequestId, RequestKey } from '@nubo/kernel'
import { Actions, CurrentCaller, CurrentRequestId, CurrentRequestKey, Idempotent, Operation } from '@nubo/service-kit'
import { InputError } from '@nubo/wire'
import type { FastifyReply } from 'fastify'
import type { z } from 'zod'
import { FixedIpsService } from './interfaces/fixed-ips.service.js'
import {
  addFixedIpPolicy,
  addSecurityGroupPolicy,
  removeFixedIpPolicy,
  removeSecurityGroupPolicy,
} from './interfaces/interfaces.policies.js'
import { ServerSecurityGroupsService } from './interfaces/server-security-groups.service.js'
import { ServerPowerService } from './server-power.service.js'
import {
  consoleOutputPolicy,
  deleteServerPolicy,
  lockServerPolicy,
  rebootServerPolicy,
  startServerPolicy,
  stopServerPolicy,
  unlockServerPolicy,
} from './servers.policies.js'
import { actionBodies } from './servers.schemas.js'
import { ServersService } from './servers.service.js'

type ActionName = keyof typeof actionBodies
type ActionBody<Name extends ActionName> = z.output<(typeof actionBodies)[Name]>

interface Request {
  caller: Caller
  id: string
  requestId: RequestId
  once: Once
}

/** https://docs.openstack.org/api-ref/compute/#servers-run-an-action-servers-action */
@Controller('v2.1/servers/:id/action')
export class ServerActionsController {
  constructor(
    private readonly servers: ServersService,
    private readonly power: ServerPowerService,
    private readonly groups: ServerSecurityGroupsService,
    private readonly fixedIps: FixedIpsService,
  ) {}

  @Post()
  @HttpCode(202)
  @Operation('server.action')
  @Idempotent()
  @Actions({
    'os-start': { policy: startServerPolicy, addsWork: true },
    'os-stop': { policy: stopServerPolicy, addsWork: true },
    reboot: { policy: rebootServerPolicy, addsWork: true },
    'os-getConsoleOutput': { policy: consoleOutputPolicy, notIdempotent: 'It reads.' },
    lock: { policy: lockServerPolicy },
    unlock: { policy: unlockServerPolicy },
    forceDelete: { policy: deleteServerPolicy },
    addSecurityGroup: { policy: addSecurityGroupPolicy },
    removeSecurityGroup: { policy: removeSecurityGroupPolicy },
    addFixedIp: { policy: addFixedIpPolicy },
    removeFixedIp: { policy: removeFixedIpPolicy },
  })
  async act(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body() body: Record<string, unknown>,
    @CurrentRequestId() requestId: RequestId,
    @CurrentRequestKey() key: RequestKey | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const name = Object.keys(body)[0] as ActionName
    // The others are accepted and done later; this one is answered.
    if (name === 'os-getConsoleOutput') reply.code(200)
    const run = this.actions[name] as (request: Request, body: unknown) => Promise<unknown>
    const once = new Once(key, () => undefined)
    return await run({ caller, id, requestId, once }, checked(name, body))
  }

  /** One an action: what `act` was asked for, with its body checked. */
  private readonly actions: { [Name in ActionName]: (request: Request, body: ActionBody<Name>) => Promise<unknown> } = {
    'os-start': ({ caller, id, ...how }) => this.power.power(caller, id, 'start', how),
    'os-stop': ({ caller, id, ...how }) => this.power.power(caller, id, 'stop', how),
    reboot: ({ caller, id, ...how }, { reboot }) =>
      this.power.power(caller, id, reboot.type === 'HARD' ? 'rebootHard' : 'rebootSoft', how),
    'os-getConsoleOutput': async ({ caller, id }, body) => {
      const length = body['os-getConsoleOutput']?.length
      const lines = length === undefined || length === null || length < 0 ? undefined : length
      return { output: await this.power.consoleOutput(caller, id, lines) }
    },
    lock: ({ caller, id, once }, { lock }) => this.power.lock(caller, id, lock?.locked_reason ?? null, once),
    unlock: ({ caller, id, once }) => this.power.unlock(caller, id, once),
    forceDelete: ({ caller, id, requestId, once }) => this.servers.delete(caller, id, requestId, once),
    addSecurityGroup: ({ caller, id, once }, body) => this.groups.add(caller, id, body.addSecurityGroup.name, once),
    removeSecurityGroup: ({ caller, id, once }, body) => this.groups.remove(caller, id, body.removeSecurityGroup.name, once),
    addFixedIp: ({ caller, id, once }, { addFixedIp: { networkId } }) => this.fixedIps.add(caller, id, networkId, once),
    removeFixedIp: ({ caller, id, once }, { removeFixedIp: { address } }) => this.fixedIps.remove(caller, id, address, once),
  }
}

function checked(name: ActionName, body: unknown): unknown {
  const result = actionBodies[name].safeParse(body)
  if (!result.success) throw new InputError('body', body, result.error.issues)
  return result.data
}
