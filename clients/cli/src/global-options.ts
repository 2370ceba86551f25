import { Option, type Command } from 'commander'
import { commaSeparated } from './arguments.js'
import type { Flags } from './cloud/configuration.js'
import type { GlobalOptions } from './context.js'

const cloudOptions: [flags: string, says: string][] = [
  ['--os-cloud <cloud>', 'cloud in clouds.yaml to use (OS_CLOUD)'],
  ['--os-auth-url <url>', 'address of the identity service (OS_AUTH_URL)'],
  ['--os-auth-type <type>', 'password, token or v3applicationcredential (OS_AUTH_TYPE)'],
  ['--os-username <name>', 'user (OS_USERNAME); the password comes from OS_PASSWORD, a file, or is asked for'],
  ['--os-user-domain-name <name>', "the user's domain (OS_USER_DOMAIN_NAME)"],
  ['--os-user-domain-id <id>', 'the same by id (OS_USER_DOMAIN_ID)'],
  ['--os-project-name <name>', 'project to work in (OS_PROJECT_NAME)'],
  ['--os-project-id <id>', 'the same by id (OS_PROJECT_ID)'],
  ['--os-project-domain-name <name>', "the project's domain (OS_PROJECT_DOMAIN_NAME)"],
  ['--os-project-domain-id <id>', 'the same by id (OS_PROJECT_DOMAIN_ID)'],
  ['--os-system-scope <scope>', "'all': work on the whole system instead of a project (OS_SYSTEM_SCOPE)"],
  ['--os-region-name <region>', 'region (OS_REGION_NAME)'],
  ['--os-interface <interface>', 'public, internal or admin addresses (OS_INTERFACE)'],
  ['--os-compute-api-version <2.N>', 'compute API to speak (OS_COMPUTE_API_VERSION; default: the newest that both know)'],
  ['--os-cacert <file>', 'certificate authorities to trust (OS_CACERT)'],
]

export function addGlobalOptions(program: Command): void {
  program
    .addOption(new Option('--json', 'print JSON, whose keys stay the same, for programs').conflicts('quiet'))
    .option('-q, --quiet', 'print ids only, and no progress')
    .option('-c, --columns <names>', 'print these columns, by their JSON names: id,name,status', commaSeparated)
    .option('--debug', 'print every request and answer, without secrets')
  program.optionsGroup('Which cloud, and as whom:')
  for (const [flags, says] of cloudOptions) program.option(flags, says)
  program.option('--insecure', 'trust any certificate (OS_INSECURE)')
}

/** `--os-auth-url` and the others in OpenStack's own names, as files and variables have them. */
export function globalOptions(program: Command): GlobalOptions {
  const { json, quiet, columns, debug, insecure } = program.opts<GlobalOptions & { insecure?: boolean }>()
  const flags: Flags = insecure ? { insecure: 'true' } : {}
  for (const option of program.options) {
    const value: unknown = program.getOptionValue(option.attributeName())
    if (option.long?.startsWith('--os-') && typeof value === 'string') flags[option.long.slice(5).replaceAll('-', '_')] = value
  }
  return { json: json ?? false, quiet: quiet ?? false, debug: debug ?? false, flags, ...(columns && { columns }) }
}
