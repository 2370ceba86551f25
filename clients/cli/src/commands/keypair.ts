import { Option, type Command } from 'commander'
import { rmSync, writeFileSync } from 'node:fs'
import { deleteKeypair, getKeypair, importKeypair, listKeypairs, type Keypair } from '../cloud/keypairs.js'
import { makeSshKey } from '../cloud/openssh-key.js'
import type { CommandContext } from '../context.js'
import { usageError } from '../exit.js'
import { fileProblem, readNamedFile } from '../files.js'
import { toJson, type View } from '../output/view.js'
import { addKeyOption, examples } from './help.js'
import { Several } from './several.js'

const keypairView: View<Keypair> = [
  { key: 'name', title: 'Name', value: (keypair) => keypair.name, listed: true, whole: true },
  { key: 'type', title: 'Type', value: (keypair) => keypair.type, listed: true },
  { key: 'fingerprint', title: 'Fingerprint', value: (keypair) => keypair.fingerprint, listed: true, whole: true },
  { key: 'public_key', title: 'Public key', value: (keypair) => keypair.public_key.trim() },
  { key: 'created_at', title: 'Created', value: (keypair) => keypair.created_at },
  { key: 'user_id', title: 'User', value: (keypair) => keypair.user_id },
]

export function addKeypairCommands(program: Command, context: CommandContext): void {
  const keypair = program.command('keypair').description('SSH keys that may log in to servers.')
  keypair
    .command('list')
    .summary('list key pairs')
    .description('Lists your key pairs. They belong to you, not to the project.')
    .action(async () => context.printList(keypairView, await listKeypairs(context.compute()), 'key pairs'))
  keypair
    .command('show')
    .summary('show a key pair')
    .description('Shows a key pair and its public key. The private key is not in the cloud.')
    .argument('<keypair>', 'name')
    .action(async (name: string) => context.printOne(keypairView, await getKeypair(context.compute(), name)))
  addCreate(keypair, context)
  keypair
    .command('delete')
    .summary('delete key pairs')
    .description('Deletes key pairs. Servers that have the key keep it.')
    .argument('<keypairs...>', 'names')
    .action(async (names: string[]) => {
      const several = new Several(context, names.length)
      await several.each(names, async (name) => {
        await deleteKeypair(context.compute(), name)
        context.note(`deleted ${name}`)
      })
      several.finish()
    })
}

interface CreateOptions {
  publicKey?: string
  privateKey?: string
}

function addCreate(keypair: Command, context: CommandContext): void {
  const command = keypair
    .command('create')
    .summary('make or import a key pair')
    .description(
      'Imports a public key; or, without one, makes an ed25519 key pair on this machine, sends its public half to the cloud and prints the private half. ' +
        'That is the only time it is shown.',
    )
    .argument('<name>', 'name of the key pair')
    .option('--public-key <file>', 'public key to import')
    .addOption(
      new Option('--private-key <file>', 'write the private key there (mode 0600) in place of printing it').conflicts(
        'publicKey',
      ),
    )
  addKeyOption(command)
  examples(command, [
    ['nubo keypair create me --public-key ~/.ssh/id_ed25519.pub', ''],
    ['nubo keypair create me --private-key ~/.ssh/nubo', 'a new one'],
  ])
  command.action(async (name: string, options: CreateOptions) => {
    if (options.publicKey === undefined && context.options.idempotencyKey !== undefined)
      throw usageError('--idempotency-key needs --public-key: a key that is made here is another one each time')
    if (options.publicKey === undefined) return make(context, name, options.privateKey)
    const publicKey = readNamedFile(options.publicKey, 'the public key').toString('utf8').trim()
    if (/PRIVATE KEY-----/.test(publicKey))
      throw usageError(`${options.publicKey} is a private key: it stays here; give the file with .pub`)
    context.printOne(keypairView, await importKeypair(context.compute(), name, publicKey))
  })
}

/** The key is made here whatever the cloud could do (it no longer does since 2.92): so no private key ever travels. */
async function make(context: CommandContext, name: string, file: string | undefined): Promise<void> {
  const { publicKey, privateKey } = makeSshKey(name.replace(/\s+/g, '-'))
  if (file !== undefined) writeNew(file, privateKey)
  let created: Keypair
  try {
    created = await importKeypair(context.compute(), name, publicKey)
  } catch (error) {
    if (file !== undefined) rmSync(file, { force: true })
    throw error
  }
  if (file !== undefined) {
    context.note(`The private key is in ${file}.`)
    return context.printOne(keypairView, created)
  }
  if (context.options.json) return context.printJson({ ...toJson(keypairView, created), private_key: privateKey })
  context.print(privateKey)
}

function writeNew(path: string, content: string): void {
  try {
    // 'wx': a private key that is already there is never overwritten.
    writeFileSync(path, content, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    throw usageError(`Cannot write ${path}: ${fileProblem(error)}`)
  }
}
