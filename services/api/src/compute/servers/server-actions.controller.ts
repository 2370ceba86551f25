import { Body, Controller, HttpCode, Param, Post, Res } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import type { RequestId } from '@nubo/kernel'
import { Actions, CurrentCaller, CurrentRequestId, Operation } from '@nubo/service-kit'
import { InputError } from '@nubo/wire'
import type { FastifyReply } from 'fastify'
import type { z } from 'zod'
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
}

/** https://docs.openstack.org/api-ref/compute/#servers-run-an-action-servers-action */
@Controller('v2.1/servers/:id/action')
export class ServerActionsController {
  constructor(
    private readonly servers: ServersService,
    private readonly power: ServerPowerService,
  ) {}

  @Post()
  @HttpCode(202)
  @Operation('server.action')
  @Actions({
    'os-start': { policy: startServerPolicy },
    'os-stop': { policy: stopServerPolicy },
    reboot: { policy: rebootServerPolicy },
    'os-getConsoleOutput': { policy: consoleOutputPolicy },
    lock: { policy: lockServerPolicy },
    unlock: { policy: unlockServerPolicy },
    forceDelete: { policy: deleteServerPolicy },
  })
  async act(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body() body: Record<string, unknown>,
    @CurrentRequestId() requestId: RequestId,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const name = Object.keys(body)[0] as ActionName
    // The others are accepted and done later; this one is answered.
    if (name === 'os-getConsoleOutput') reply.code(200)
    const run = this.actions[name] as (request: Request, body: unknown) => Promise<unknown>
    return await run({ caller, id, requestId }, checked(name, body))
  }

  /** One an action: what `act` was asked for, with its body checked. */
  private readonly actions: { [Name in ActionName]: (request: Request, body: ActionBody<Name>) => Promise<unknown> } = {
    'os-start': ({ caller, id, requestId }) => this.power.power(caller, id, 'start', requestId),
    'os-stop': ({ caller, id, requestId }) => this.power.power(caller, id, 'stop', requestId),
    reboot: ({ caller, id, requestId }, { reboot }) =>
      this.power.power(caller, id, reboot.type === 'HARD' ? 'rebootHard' : 'rebootSoft', requestId),
    'os-getConsoleOutput': async ({ caller, id }, body) => {
      const length = body['os-getConsoleOutput']?.length
      const lines = length === undefined || length === null || length < 0 ? undefined : length
      return { output: await this.power.consoleOutput(caller, id, lines) }
    },
    lock: ({ caller, id }, { lock }) => this.power.lock(caller, id, lock?.locked_reason ?? null),
    unlock: ({ caller, id }) => this.power.unlock(caller, id),
    forceDelete: ({ caller, id, requestId }) => this.servers.delete(caller, id, requestId),
  }
}

function checked(name: ActionName, body: unknown): unknown {
  const result = actionBodies[name].safeParse(body)
  if (!result.success) throw new InputError('body', body, result.error.issues)
  return result.data
}
