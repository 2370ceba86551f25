import { Command } from 'commander'
import { readFileSync } from 'node:fs'
import { addAccessCommands } from './commands/access.js'
import { addCompletionCommands } from './commands/completion.js'
import { addConsoleCommands } from './commands/console.js'
import { addDoctorCommands } from './commands/doctor.js'
import { addFlavorCommands } from './commands/flavor.js'
import { addFloatingIpCommands } from './commands/floating-ip.js'
import { examples, keyOption } from './commands/help.js'
import { addHostKeyCommands } from './commands/host-key.js'
import { addHostCommands } from './commands/host.js'
import { addHypervisorCommands } from './commands/hypervisor.js'
import { addImageCommands } from './commands/image.js'
import { addKeypairCommands } from './commands/keypair.js'
import { addNetworkCommands } from './commands/network.js'
import { addOperationCommands } from './commands/operation.js'
import { addPortCommands } from './commands/port.js'
import { addLimitsCommands, addQuotaCommands } from './commands/quota.js'
import { addRouterCommands } from './commands/router.js'
import { addSecurityGroupCommands } from './commands/security-group.js'
import { addServerCommands } from './commands/server.js'
import type { CommandContext } from './context.js'
import { addGlobalOptions, globalOptions } from './global-options.js'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

const exitCodes = `
Exit codes:
  0  done
  1  the cloud refused or failed, or a server became ERROR
  2  the command line or the configuration is wrong, or a name means several things
  3  not found
  4  not logged in (401), or not allowed (403)
  5  not in time
  6  the cloud cannot be reached
  7  doctor found something that is not as promised
  130  Ctrl-C`

/** The whole command line, ready to parse. */
export function createProgram(context: CommandContext): Command {
  const program = new Command('nubo')
    .description('Servers, images, networks and what belongs to them, on a Nubo cloud or any other OpenStack.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help')
    .exitOverride()
    .showHelpAfterError('(--help says what there is)')
    .configureHelp({ showGlobalOptions: false, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => context.print(text),
      writeErr: (text) => context.world.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'nubo: ')),
      getOutHelpWidth: () => context.world.stdout.columns ?? 100,
      getErrHelpWidth: () => context.world.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
  addGlobalOptions(program)
  examples(program, [
    ['nubo server list', ''],
    ['nubo server create web --image debian-12 --flavor small --wait', ''],
    ['nubo --os-cloud other image list --json', ''],
    ['eval "$(nubo completion bash)"', 'completion of commands and names with Tab'],
  ])
  program.addHelpText('after', exitCodes)
  program.hook('preAction', (_program, command) => {
    context.options = { ...globalOptions(program), ...keyOption(command) }
  })
  addServerCommands(program, context)
  addImageCommands(program, context)
  addFlavorCommands(program, context)
  addKeypairCommands(program, context)
  addConsoleCommands(program, context)
  addNetworkCommands(program, context)
  addPortCommands(program, context)
  addRouterCommands(program, context)
  addFloatingIpCommands(program, context)
  addSecurityGroupCommands(program, context)
  addLimitsCommands(program, context)
  addQuotaCommands(program, context)
  addHypervisorCommands(program, context)
  addHostCommands(program, context)
  addHostKeyCommands(program, context)
  addOperationCommands(program, context)
  addDoctorCommands(program, context)
  addAccessCommands(program, context)
  addCompletionCommands(program, context)
  everyCommand(program, (command) => {
    if (command !== program && command.commands.length === 0)
      command.addHelpText('after', '\nOptions for every command, and exit codes: nubo --help')
  })
  return program
}

function everyCommand(command: Command, deed: (command: Command) => void): void {
  deed(command)
  for (const child of command.commands) everyCommand(child, deed)
}
