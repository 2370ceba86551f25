import type { ServerCommand } from '@nubo/contract'
import { build } from './build.js'
import type { Achievement, CommandTools } from './context.js'
import { destroy } from './destroy.js'
import { attachInterface, detachInterface } from './interfaces.js'
import { reboot } from './reboot.js'
import { start } from './start.js'
import { stop } from './stop.js'

export function perform(command: ServerCommand, tools: CommandTools, signal: AbortSignal): Promise<Achievement> {
  switch (command.kind) {
    case 'build':
      return build(command, tools, signal)
    case 'destroy':
      return destroy(command, tools, signal)
    case 'start':
      return start(command, tools, signal)
    case 'stop':
      return stop(command, tools, signal)
    case 'reboot':
      return reboot(command, tools, signal)
    case 'attach-interface':
      return attachInterface(command, tools, signal)
    case 'detach-interface':
      return detachInterface(command, tools, signal)
  }
}
