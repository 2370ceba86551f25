// Nothing of jest's: the benchmark, which runs outside of it, starts hosts too.
export { startLibvirtHost, type LibvirtHost } from './testing/libvirt-host.js'
export { qemuProcess, talk } from './testing/qemu-guests.js'
export { testGuest, testGuestLetters } from './testing/test-guest.js'
