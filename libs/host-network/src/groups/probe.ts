import { CloudError } from '@nubo/kernel'
import type { ProcessRunner } from '../process-runner.js'
import type { HostSettings } from '../settings.js'

const timeoutMs = 10_000

/** What `tracking.ts` asks of a bridge's own table. It is checked by the kernel, and not made. */
const trial = `table bridge nubo_trial {
  chain trial {
    type filter hook prerouting priority -290
    meta ibrname "nubo" ct state established accept
  }
}
`

/**
 * Finds out who can track what crosses a bridge of this host. Loads br_netfilter where nothing else can, and then switches it
 * off for all bridges: ours are switched on one by one.
 * @throws `Unavailable` where neither is there.
 */
export async function probeTracking(processes: ProcessRunner): Promise<HostSettings['tracking']> {
  if (await succeeds(processes, 'nft', ['--check', '-f', '-'], trial)) return 'bridge'
  if (await succeeds(processes, 'test', ['-e', '/proc/sys/net/bridge'])) return 'br_netfilter'
  const sparing = 'for file in /proc/sys/net/bridge/bridge-nf-call-*; do echo 0 > "$file"; done'
  if (await succeeds(processes, 'sh', ['-c', `modprobe br_netfilter && ${sparing}`])) return 'br_netfilter'
  throw new CloudError(
    'Unavailable',
    'Security groups need connection tracking on bridges: load the kernel module nf_conntrack_bridge or br_netfilter.',
  )
}

async function succeeds(processes: ProcessRunner, program: string, args: readonly string[], input = ''): Promise<boolean> {
  try {
    await processes.run(program, args, { timeoutMs, input })
    return true
  } catch (error) {
    if (error instanceof CloudError && error.kind === 'Unavailable') return false
    throw error
  }
}
