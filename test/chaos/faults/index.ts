import { killEverything } from './control-plane.js'
import type { Fault } from './fault.js'
import { cutNetwork, cutPower, killAgent, killGuest, killLibvirtd, pauseAgent, pauseLibvirtd, setClockOff } from './hosts.js'
import { killPostgres, pausePostgres, restartPostgres } from './postgres.js'
import { emptyRedis, killRedis, pauseRedis, redisAway } from './redis.js'
import { killService, pauseService } from './services.js'

export type { Fault, Injected } from './fault.js'

/** Every fault there is. Adding one: a `Fault`, and its name here. */
export const faults: readonly Fault[] = [
  ...[killService, pauseService, killEverything],
  ...[killRedis, emptyRedis, redisAway, pauseRedis],
  ...[killPostgres, restartPostgres, pausePostgres],
  ...[killAgent, pauseAgent, killLibvirtd, pauseLibvirtd],
  ...[cutPower, cutNetwork, setClockOff, killGuest],
]
