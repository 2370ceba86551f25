export { describeHypervisor, type HypervisorUnderTest } from './testing/conformance.js'
export { startLibvirtHost, type LibvirtHost } from './testing/libvirt-host.js'
export { qemuProcess, talk } from './testing/qemu-guests.js'
export { testGuest, testGuestLetters } from './testing/test-guest.js'
