import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import type { GuestShell } from './guest-shell.js'

const run = promisify(execFile)
const programs = ['/usr/bin/perl', '/usr/sbin/dhclient']
const place = '/tmp/tools'

/**
 * Programs of this machine that the small guest lacks, for guests to fetch: what sends and hears frames as they are, and a
 * DHCP client that knows IPv6. They bring their libraries and their loader, so a guest's own need not be the same.
 */
export class GuestTools implements AsyncDisposable {
  private constructor(
    private readonly url: string,
    private readonly server: ReturnType<typeof createServer>,
  ) {}

  /** @param address where guests reach this machine. */
  static async serve(address: string): Promise<GuestTools> {
    const archive = await pack()
    const server = createServer((_request, response) => response.end(archive)).listen(0, address)
    await once(server, 'listening')
    return new GuestTools(`http://${address}:${(server.address() as AddressInfo).port}/`, server)
  }

  async bring(shell: GuestShell): Promise<void> {
    const { code, output } = await shell.run(`wget -q -O - ${this.url} | tar -x -z -C /tmp`, 180_000)
    if (code !== 0) throw new Error(`the tools did not come: ${output}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close()
    this.server.closeAllConnections()
  }
}

/** Sends these frames, one after the other. */
export const sendFrames = (link: string, ...frames: string[]) =>
  `${place}/run perl ${place}/frames.pl send ${link} ${frames.join(' ')}`
/** Writes every frame that comes, up to the one that has this text in it. */
export const hearFrames = (link: string, until: string) => `${place}/run perl ${place}/frames.pl hear ${link} ${until}`
/** Asks for what DHCP gives over IPv6, an address with it or nothing but the rest, and writes what it was told. */
export const askForLease6 = (link: string, what: 'address' | 'options') =>
  `${place}/lease6 ${link} ${what === 'address' ? '-D LL' : '-S'}`

async function pack(): Promise<Buffer> {
  const folder = await mkdtemp('/tmp/nubo-guest-tools-')
  try {
    const tools = join(folder, 'tools')
    await mkdir(tools)
    for (const program of programs) {
      const { stdout } = await run('ldd', [program])
      const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path!)
      for (const path of [program, ...libraries]) await cp(path, join(tools, basename(path)), { dereference: true })
    }
    for (const [name, text] of Object.entries(scripts)) await writeFile(join(tools, name), text, { mode: 0o755 })
    await run('tar', ['-C', folder, '-czf', join(folder, 'tools.tar.gz'), 'tools'])
    return await readFile(join(folder, 'tools.tar.gz'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const scripts = {
  run: `#!/bin/sh
program=$1; shift
exec ${place}/ld-linux-x86-64.so.2 --library-path ${place} ${place}/$program "$@"
`,
  // linux/if_packet.h: sockaddr_ll; what the guest itself sends has the type 4.
  'frames.pl': `my ($verb, $link, @words) = @ARGV;
$| = 1;
open my $file, '<', "/sys/class/net/$link/ifindex" or die;
my $index = <$file>;
socket my $socket, 17, 3, unpack('S', pack('n', 3)) or die "socket: $!";
bind $socket, pack('SnlSCCa8', 17, 3, $index, 0, 0, 0, '') or die "bind: $!";
if ($verb eq 'send') { for (@words) { send $socket, pack('H*', $_), 0 or die "send: $!" } exit }
while (defined(my $from = recv $socket, my $frame, 65535, 0)) {
  next if (unpack 'SnlSC', $from)[4] == 4;
  my $text = unpack 'H*', $frame;
  print "$text\\n";
  last if index($text, $words[0]) >= 0;
}
`,
  lease6: `#!/bin/sh
link=$1; shift
rm -f ${place}/told ${place}/leases
printf 'request dhcp6.name-servers, dhcp6.domain-search;\\n' > ${place}/settings
timeout 50 ${place}/run dhclient -6 -1 -d "$@" -sf ${place}/lease-script -cf ${place}/settings \\
  -lf ${place}/leases -pf ${place}/dhclient.pid $link >/dev/null 2>&1
cat ${place}/told
`,
  'lease-script': `#!/bin/sh
case $reason in
  # An answer to who asks for no address is a renewal.
  BOUND6 | RENEW6)
    [ -n "$new_ip6_address" ] && ip -6 addr add $new_ip6_address/128 dev $interface
    env | grep ^new_ > ${place}/told
    kill $PPID
    ;;
esac
`,
}
