import type { Clock, Random } from '@nubo/kernel'
import { CreateFlags, DomainState, type Domain, type LibvirtConnection } from '@nubo/node-libvirt'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { element, renderXml } from '../xml/element.js'
import { trialBegun, trialGuest, trialPassed } from './trial-guest.js'

export type TrialOutcome = { state: 'passed'; tookMs: number } | { state: 'failed'; why: string }

export interface TrialOptions {
  connection: LibvirtConnection
  /** An existing directory that QEMU's user can pass through. */
  directory: string
  clock: Clock
  random: Random
}

/** Real processors take about a second, most of it in the BIOS. */
const trialTimeoutMs = 15_000
const pollMs = 100

/** Runs a guest of 512 bytes under the given type, with libvirt's own ways and QEMU's own user, and says how far it came. */
export async function runTrialGuest(virtType: 'kvm' | 'qemu', options: TrialOptions): Promise<TrialOutcome> {
  const name = `nubo-trial-${options.random.bytes(6).toString('hex')}`
  const directory = `${options.directory}/${name}`
  // QEMU's user must pass through here, and nobody else can guess the name.
  await mkdir(directory, { mode: 0o711 })
  try {
    return await boot(virtType, name, directory, options)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function boot(virtType: 'kvm' | 'qemu', name: string, directory: string, options: TrialOptions): Promise<TrialOutcome> {
  const { connection, clock } = options
  await writeFile(`${directory}/disk`, trialGuest, { mode: 0o644 })
  const serial = await listen(`${directory}/serial`)
  const startedMs = clock.monotonicMs()
  try {
    const domain = await connection.domainCreateXml({ xml: trialXml(virtType, name, directory), flags: CreateFlags.Autodestroy })
    const passed = await waitFor(() => serial.text().includes(trialPassed), domain, options)
    await connection.domainDestroy({ domain }).catch(() => undefined)
    if (passed) return { state: 'passed', tookMs: Math.round(clock.monotonicMs() - startedMs) }
    const begun = serial.text().includes(trialBegun)
    return { state: 'failed', why: begun ? 'it came to a halt where 64-bit code begins' : 'it did not begin to run' }
  } catch (error) {
    return { state: 'failed', why: (error as Error).message }
  } finally {
    serial.close()
  }
}

/** Until it passed, stopped (a KVM that cannot go on pauses its guest), or took too long. */
async function waitFor(passed: () => boolean, domain: Domain, { connection, clock }: TrialOptions): Promise<boolean> {
  const giveUpMs = clock.monotonicMs() + trialTimeoutMs
  while (!passed() && clock.monotonicMs() < giveUpMs) {
    await clock.sleep(pollMs)
    const { state } = await connection.domainGetState({ domain })
    if (state !== DomainState.Running) break
  }
  return passed()
}

/** The guest's serial port calls us, so that nothing is lost that it writes before anybody looks. */
async function listen(path: string) {
  let text = ''
  const server = createServer((socket) => {
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
    })
    socket.on('error', () => socket.destroy())
    sockets.add(socket)
  })
  const sockets = new Set<{ destroy(): void }>()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  await chmod(path, 0o666)
  return {
    text: () => text,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

function trialXml(virtType: 'kvm' | 'qemu', name: string, directory: string): string {
  return renderXml(
    element(
      'domain',
      { type: virtType },
      element('name', {}, name),
      element('memory', { unit: 'MiB' }, '32'),
      element('vcpu', {}, '1'),
      element('os', {}, element('type', { arch: 'x86_64', machine: 'pc' }, 'hvm'), element('boot', { dev: 'hd' })),
      element('features', {}, element('acpi'), element('apic')),
      // The least that is 64 bits wide: whether the trial passes shall not hang on a feature of the processor.
      element('cpu', { mode: 'custom', match: 'exact', check: 'none' }, element('model', { fallback: 'forbid' }, 'qemu64')),
      element('on_reboot', {}, 'destroy'),
      element(
        'devices',
        {},
        element(
          'disk',
          { type: 'file', device: 'disk' },
          element('driver', { name: 'qemu', type: 'raw' }),
          element('source', { file: `${directory}/disk` }),
          element('target', { dev: 'hda', bus: 'ide' }),
        ),
        element(
          'serial',
          { type: 'unix' },
          element('source', { mode: 'connect', path: `${directory}/serial` }),
          element('target', { port: 0 }),
        ),
        element('controller', { type: 'usb', model: 'none' }),
        element('video', {}, element('model', { type: 'none' })),
        element('memballoon', { model: 'none' }),
      ),
    ),
  )
}
