import type { Command } from 'commander'
import type { Authorization, CatalogService } from '../cloud/authentication.js'
import type { CloudConfiguration } from '../cloud/configuration.js'
import { pick } from '../cloud/names.js'
import type { CommandContext } from '../context.js'
import type { View } from '../output/view.js'
import { examples } from './help.js'

/** `token`, `catalog` and `configuration`: how one gets in, and to what. */
export function addAccessCommands(program: Command, context: CommandContext): void {
  addToken(program, context)
  addCatalog(program, context)
  addConfiguration(program, context)
}

const tokenView: View<Authorization> = [
  { key: 'id', title: 'ID', value: ({ token }) => token },
  { key: 'expires_at', title: 'Expires', value: ({ expiresAt }) => expiresAt },
  { key: 'user_id', title: 'User', value: ({ user }) => user.id, text: ({ user }) => `${user.name} (${user.id})` },
  {
    key: 'project_id',
    title: 'Project',
    value: ({ project }) => project?.id,
    text: ({ project }) => (project ? `${project.name} (${project.id})` : '-'),
  },
  { key: 'roles', title: 'Roles', value: ({ roles }) => roles },
]

function addToken(program: Command, context: CommandContext): void {
  const token = program.command('token').description('Proof of who you are.')
  const issue = token
    .command('issue')
    .summary('get a token')
    .description('Logs in and prints the token. Who has it can do in your name what you can, until it expires.')
  examples(issue, [['OS_TOKEN=$(nubo token issue --quiet)', '']])
  issue.action(async () => context.printOne(tokenView, await context.session().authorize()))
}

/** Programs get every address, people those of the interface that is used. */
const catalogView = (used: CloudConfiguration['interface']): View<CatalogService> => [
  { key: 'name', title: 'Name', value: ({ name }) => name, listed: true },
  { key: 'type', title: 'Type', value: ({ type }) => type, listed: true },
  {
    key: 'endpoints',
    title: 'Endpoints',
    value: ({ endpoints }) => endpoints.map(({ region, interface: face, url }) => ({ region, interface: face, url })),
    text: ({ endpoints }) =>
      endpoints.flatMap(({ region, interface: face, url }) => (face === used ? [`${region} ${url}`] : [])).join(', ') || '-',
    listed: true,
    whole: true,
  },
]

function addCatalog(program: Command, context: CommandContext): void {
  const catalog = program.command('catalog').description('What services the cloud has, and where.')
  catalog
    .command('list')
    .summary('list services')
    .description('Lists the services of the cloud with their addresses.')
    .action(async () =>
      context.printList(
        catalogView(context.configuration().interface),
        (await context.session().authorize()).catalog,
        'services',
      ),
    )
  catalog
    .command('show')
    .summary('show a service')
    .description('Shows a service of the cloud with its addresses.')
    .argument('<service>', 'type or name: compute, image ...')
    .action(async (wanted: string) => {
      const services = (await context.session().authorize()).catalog.map((service) => ({ ...service, id: service.type }))
      context.printOne(
        catalogView(context.configuration().interface),
        pick('service', wanted, services, (service) => service.name),
      )
    })
}

const secrets = new Set(['password', 'token', 'application_credential_secret'])

const configurationView: View<CloudConfiguration> = [
  { key: 'cloud', title: 'Cloud', value: ({ cloudName }) => cloudName },
  { key: 'sources', title: 'Read from', value: ({ sources }) => sources },
  { key: 'auth_type', title: 'Auth type', value: ({ authType }) => authType },
  {
    key: 'auth',
    title: 'Auth',
    value: ({ auth }) =>
      Object.fromEntries(Object.entries(auth).map(([key, value]) => [key, secrets.has(key) ? '(hidden)' : value])),
  },
  { key: 'region_name', title: 'Region', value: ({ regionName }) => regionName },
  { key: 'interface', title: 'Interface', value: (configuration) => configuration.interface },
  { key: 'verify', title: 'Certificates checked', value: ({ verify }) => verify },
  { key: 'cacert', title: 'Authorities', value: ({ certificateAuthorityFile }) => certificateAuthorityFile },
  {
    key: 'compute_api_version',
    title: 'Compute API',
    value: ({ computeMicroversion }) => computeMicroversion,
    text: ({ computeMicroversion }) => computeMicroversion ?? 'newest',
  },
]

function addConfiguration(program: Command, context: CommandContext): void {
  program
    .command('configuration')
    .description('How the cloud is found and entered.')
    .command('show')
    .summary('show the configuration in effect')
    .description('Shows what files, variables and options come to, without asking the cloud. Secrets are hidden.')
    .action(() => context.printOne(configurationView, context.configuration()))
}
