import type { Clock, Random } from '@nubo/kernel'
import type { LibvirtConnection } from '@nubo/node-libvirt'
import { readFile } from 'node:fs/promises'
import { runTrialGuest, type TrialOutcome } from './trial.js'

export interface VirtTypeDecision {
  virtType: 'kvm' | 'qemu'
  /** For a person: what was seen, or who decided. */
  reason: string
}

export interface ProbeOptions {
  connection: LibvirtConnection
  /** The kinds of domain that libvirt offers here. */
  guestTypes: readonly string[]
  /** An existing directory that QEMU's user can pass through. */
  directory: string
  clock: Clock
  random: Random
}

/**
 * Finds out what guests can run on here. That /dev/kvm opens proves nothing: it may be a KVM in software, one that the
 * hypervisor below does not carry, or one that QEMU's user may not open. So a guest is tried.
 */
export async function probeVirtType(options: ProbeOptions): Promise<VirtTypeDecision> {
  if (!options.guestTypes.includes('kvm'))
    return { virtType: 'qemu', reason: 'libvirt offers no KVM: /dev/kvm is missing or closed to it' }
  if (!(await hasVirtualization())) {
    return {
      virtType: 'qemu',
      reason: 'there is a /dev/kvm, but the processor shows neither vmx nor svm: a KVM in software runs no ordinary guest',
    }
  }
  return judgeTrial(await runTrialGuest('kvm', options))
}

export function judgeTrial(outcome: TrialOutcome): VirtTypeDecision {
  if (outcome.state === 'passed')
    return { virtType: 'kvm', reason: `a trial guest ran under KVM and reached long mode in ${outcome.tookMs} ms` }
  return { virtType: 'qemu', reason: `a trial guest under KVM did not pass: ${outcome.why}` }
}

async function hasVirtualization(): Promise<boolean> {
  return /^flags\s*:.*\b(vmx|svm)\b/m.test(await readFile('/proc/cpuinfo', 'utf8'))
}
