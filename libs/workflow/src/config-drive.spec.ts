import { expect, it } from '@jest/globals'
import { configDriveOf } from './config-drive.js'
import type { OpenStep } from './records.js'

const stepWith = (publicKey: string) =>
  ({
    operation: { input: {} },
    server: { id: 's', name: 'web', hostname: 'web', projectId: 'p' },
    guest: { launchIndex: 0, ports: [], metadata: {}, keyName: 'mine', publicKey, userData: null, files: [] },
  }) as unknown as OpenStep

// cloudbase-init looks for a certificate by its type, and lets nobody in by one that is called an SSH key.
it.each([
  ['ssh', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ me'],
  ['x509', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'],
])('tells the guest that its key is of type %s', (type, data) => {
  expect(configDriveOf(stepWith(data)).metaData).toMatchObject({
    public_keys: { mine: data },
    keys: [{ name: 'mine', type, data }],
  })
})
