import { bootSector } from './boot-sector.js'

/** What the guest writes to its serial port when it has come as far as a kernel does at first. */
export const trialPassed = 'long mode\n'
/** What it writes as soon as it runs. */
export const trialBegun = 'real mode\n'

/**
 * trial-guest.S: writes `trialBegun`, enters long mode, copies memory, uses SSE, and writes `trialPassed`. A KVM that emulates
 * a processor in software gets no further than the first line.
 */
export const trialGuest = bootSector(
  Buffer.from(
    '+jHAjtiOwI7QvAB8vs98rITAdAa6+APu6/VmvwAQAAAPIt9mMcBmuQAMAABm86vHBgAQAyDHBgAgAzDHBgAwgwAPIOBmDSAGAAAPIuBmuYAAAM' +
      'APMmYNAAEAAA8wDyDAZoPg+2YNAwAAgA8iwA8BFvh86nd8CAAxwI7YjsCO0L4AfAAAvwAACAC5QAAAAPNIpb8AABAAuQAAAgBIuG51Ym9udWJv' +
      '80irZkgPbsBmD+/AZkgPfsNIhdt1Eb7afAAArITAdAdmuvgD7uv09Ov9cmVhbCBtb2RlCgBsb25nIG1vZGUKAA8fAAAAAAAAAAAAAAAAAACaIA' +
      'APAOh8',
    'base64',
  ),
)
