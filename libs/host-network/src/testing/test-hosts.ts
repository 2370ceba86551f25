import { systemClock, type PortId } from '@nubo/kernel'
import { execFileSync } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { HostNetwork } from '../host-network.js'
import { linuxHostNetwork } from '../linux-host-network.js'
import { tapName } from '../names.js'
import { systemProcesses, type ProcessRunner } from '../process-runner.js'
import { processTable } from '../process-table.js'
import type { HostSettings } from '../settings.js'
import { Lab } from './lab.js'
import { testSettings } from './plans.js'
import { entering } from '../entering.js'

const timeoutMs = 60_000
const underlayMtu = 1_600

/** A host without a hypervisor: its guests are namespaces, and their taps ends of pairs that have taps' names. */
export class TestHost {
  constructor(
    readonly lab: Lab,
    readonly address: string,
    readonly settings: HostSettings,
  ) {}

  /** As an agent opens it that has just begun. */
  open(processes: ProcessRunner = this.processes): HostNetwork {
    const { lab, settings } = this
    const table = processTable(`/proc/${lab.pid}/root/proc`, (pid, signal) => {
      // The shell's own `kill`: the program of this name is in a package that a bare machine does not have.
      const kill = ['sh', '-c', 'kill -s "$0" "$1"', signal.slice('SIG'.length), String(pid)]
      execFileSync('nsenter', ['--target', String(lab.pid), '--pid', '--mount', '--root', ...kill])
    })
    return linuxHostNetwork({ settings, clock: systemClock, processes, table })
  }

  get processes(): ProcessRunner {
    return this.lab.processes
  }

  run(script: string): Promise<string> {
    return this.lab.run('sh', '-ec', script)
  }

  /** Plugs in a guest, as the hypervisor does. */
  async plugIn(name: string, port: { portId: PortId; mac: string }, bridge: string, mtu: number): Promise<TestGuest> {
    const tap = tapName(port.portId)
    await this.run(`
      ip netns add ${name}
      ip link add ${tap} type veth peer name eth0 netns ${name}
      nsenter --net=/run/netns/${name} ip link set lo up
      nsenter --net=/run/netns/${name} ip link set eth0 address ${port.mac} mtu ${mtu} up
      ip link set ${tap} mtu ${mtu} master ${bridge} up`)
    return new TestGuest(this, name)
  }

  async unplug({ name }: TestGuest): Promise<void> {
    await this.run(`ip netns del ${name}`)
  }
}

export class TestGuest {
  private readonly processes: ProcessRunner

  constructor(
    readonly host: TestHost,
    readonly name: string,
  ) {
    const { pid } = host.lab
    const entered = ['nsenter', '--target', String(pid), '--mount', '--pid', '--root', ...entering(name)]
    this.processes = systemProcesses(entered)
  }

  run(program: string, ...args: string[]): Promise<string> {
    return this.processes.run(program, args, { timeoutMs })
  }

  /** True if the address answers; `size` is that of the payload, which may not be taken apart on its way. */
  async reaches(address: string, size = 56): Promise<boolean> {
    const words = `-n -c 1 -i 0.2 -w 4 -M do -s ${size}`.split(' ')
    return await this.run('ping', ...words, address).then(
      () => true,
      () => false,
    )
  }

  /**
   * Asks for a lease as a guest does, and takes what it gets.
   * @returns what it was told, by the names of dhclient; undefined where nobody answered.
   */
  async askForLease(family: 4 | 6 = 4, more: readonly string[] = []): Promise<Record<string, string> | undefined> {
    const place = await mkdtemp('/tmp/nubo-lease-')
    try {
      await writeFile(`${place}/script`, leaseScript(`${place}/told`), { mode: 0o755 })
      await writeFile(`${place}/settings`, leaseSettings)
      const files = ['-sf', `${place}/script`, '-cf', `${place}/settings`, '-lf', `${place}/leases`, '-pf', `${place}/pid`]
      await this.run(
        'sh',
        '-c',
        `timeout 15 dhclient -${family} -1 -d ${[...more, ...files].join(' ')} eth0 >/dev/null 2>&1; true`,
      )
      const told = await this.run('sh', '-c', `cat ${place}/told 2>/dev/null; true`)
      return told === '' ? undefined : Object.fromEntries(told.trim().split('\n').map(asEntry))
    } finally {
      await rm(place, { recursive: true, force: true })
    }
  }

  /** What a nameserver says to a name, or, for an address, to the question for its name. */
  async ask(server: string, name: string): Promise<string[]> {
    const question = `const { Resolver } = require('dns').promises
      const resolver = new Resolver({ timeout: 2000, tries: 2 }); resolver.setServers([${JSON.stringify(server)}])
      const [name, isAddress] = [${JSON.stringify(name)}, ${/^[0-9.]+$|:/.test(name)}]
      const answer = isAddress ? resolver.reverse(name) : resolver.resolve4(name)
      answer.then((a) => console.log(a.join(' ')), (e) => console.log(e.code))`
    return (await this.run(process.execPath, '-e', question)).trim().split(' ')
  }
}

const asEntry = (line: string): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]

/** Takes an address as Debian's own script does, and ends the client, which would wait for the lease to run out. */
const leaseScript = (told: string) => `#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
case "$reason" in
PREINIT6) ip link set eth0 up; for i in $(seq 50); do ip -6 addr show eth0 tentative | grep -q . || break; sleep 0.1; done ;;
BOUND) ip addr replace "$new_ip_address/$new_subnet_mask" dev eth0; env | grep ^new_ > ${told}; kill $PPID ;;
BOUND6) ip -6 addr replace "$new_ip6_address/128" dev eth0 nodad; env | grep ^new_ > ${told}; kill $PPID ;;
esac
exit 0
`

const leaseSettings = `option rfc3442-classless-static-routes code 121 = array of unsigned integer 8;
request subnet-mask, broadcast-address, routers, domain-name, domain-name-servers, host-name, interface-mtu,
  rfc3442-classless-static-routes, ntp-servers, bootfile-name, dhcp6.name-servers, dhcp6.domain-search;
`

/** Some hosts on one underlay. */
export class TestHosts implements AsyncDisposable {
  private constructor(
    private readonly labs: readonly Lab[],
    readonly hosts: readonly TestHost[],
    private readonly directory: string,
  ) {}

  static async begin(count: number, more: Partial<HostSettings> = {}): Promise<TestHosts> {
    const directory = await mkdtemp('/tmp/nubo-networks-')
    await chmod(directory, 0o755)
    const underlay = await Lab.open()
    const labs = [underlay]
    const hosts: TestHost[] = []
    await underlay.run('sh', '-ec', `ip link add underlay mtu ${underlayMtu} type bridge; ip link set underlay up`)
    for (let number = 1; number <= count; number++) {
      const lab = await Lab.open()
      labs.push(lab)
      const underlayAddress = `10.99.0.${number}`
      await connect(underlay, lab, number, underlayAddress)
      const settings = { ...testSettings, underlayAddress, directory: `${directory}/${number}`, ...more }
      hosts.push(new TestHost(lab, underlayAddress, settings))
    }
    return new TestHosts(labs, hosts, directory)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const lab of this.labs) await lab.close()
    await rm(this.directory, { recursive: true, force: true })
  }
}

async function connect(underlay: Lab, host: Lab, number: number, address: string): Promise<void> {
  // Made where both process numbers are known: outside.
  const outer = systemProcesses(['nsenter', '--target', String(underlay.pid), '--net'])
  await outer.run('ip', ['link', 'add', `h${number}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(host.pid)], {
    timeoutMs,
  })
  await underlay.run('ip', 'link', 'set', `h${number}`, 'master', 'underlay', 'mtu', String(underlayMtu), 'up')
  await host.run('ip', 'link', 'set', 'eth0', 'mtu', String(underlayMtu), 'up')
  await host.run('ip', 'address', 'add', `${address}/24`, 'dev', 'eth0')
}
