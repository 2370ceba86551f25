import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { expect, it } from '@jest/globals'
import { seededRandom, type Clock, type UserId } from '@nubo/kernel'
import { generateSshKey, importSshKey } from './ssh-keys.js'
import { generateCertificate, importCertificate } from './x509-keys.js'

/** Made by ssh-keygen, with the fingerprints that `ssh-keygen -l -E md5` gives. */
const known = [
  [
    'ssh-rsa',
    'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCnXc0pp3+SlAFxkhA1q87ZW9Xt56uW/q7He0nc3t+EJHnJY/5ph5tZPVAr5bPEaaSye8SSCkXOrEivW+Br1cljh8xZ5SL58DcCyo6CPuYPYm60IATl0oZRVWQVkGaBTtSbV2SS98nXLP8zHogdV0VJqsp384LGV0qhMEFY69mKD/B4m4GqTxLIAuoB2nwnYblyVA66Z+xwJmORbM28Dt0Tur1+MP7tdXR0/b2ApopO2TZnMlZjLkS2x54lK0F+D70t4mRR9Uz+T4zUZb9ERl/k/t34CeYizVA8VhsqZSsX/4MjqP9dySjMptQKj1VmTraM2suHmiEbgW0J2TvmgrIt person@host',
    'c1:75:81:c8:8f:5b:5a:5c:79:85:46:07:e0:bd:0b:e1',
  ],
  [
    'ssh-ed25519',
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOBPikGUufgRWoQhxAjsfbVbNg+aCeUfF/vX6HdQYd+A person@host',
    'd7:e3:b7:bd:84:19:03:0c:7c:5a:60:1c:0e:0a:5c:37',
  ],
  [
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBBCaNNwwYQHgbPrwJqtWxxptSqxQa62DgDu+und1xcXa04c/Fhpm+FQRS3v0vK72veob5eiOOUgbCPYtN6s1W+w= person@host',
    '48:2b:f2:ff:94:00:a5:38:45:95:40:2b:e1:24:3e:dc',
  ],
  [
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBGmyVAYZfCr+e2YcnyZcsCACjFnVM2rY+EwI3qUJvY+cQ1grYBUzUGqElWN7WcGBBfThcGPUQzqs44K9R6nJPcB6JTRcXYoiCj3tgIVVIFpwi8e3ZN9vX4wkV5we6kbvag== person@host',
    '7a:d5:c2:60:08:8b:0b:d3:d0:70:65:4b:37:a2:b8:4e',
  ],
  [
    'ecdsa-sha2-nistp521',
    'ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBACNr5dHr5DN5Gy5tqV2i09vYLWBa5Xvd2h3RWD0G+cqQ9vo9ISkhYhCMx9u/gK8QI/9B0YEkmRxeQMCOFkw9Xb6ngEivDlyCvlJ82i3/qnSFHoxOVK0cPa2obkclozgBeCxLn6NhWqWpaIUCbuB9J/tGB+A/uq4RosMxQQyZdX5ZwgxLQ== person@host',
    '56:b1:cf:b2:9f:b2:c0:00:fa:88:5c:ac:ee:41:6a:5e',
  ],
  [
    'ssh-dss',
    'ssh-dss AAAAB3NzaC1kc3MAAACBALfFv6HOwt5Lnv1vAn+i57pyqAJyYNsHmy4Kg6vc8t7j2tEGmGRbviHTE/uBrob/lyfCX0AF2OvtOgSIYCWu7EVGG/dA/LVyT5s+BqoMtmzJXSELlMOSxNMf6uOv3iTpe333b1RF9MVbB2/nUSC7SvqeffkicjHL1hIfV/Rs7J1lAAAAFQDGxFhMEzdwY9mM/zTZi0OyO1WuhwAAAIA+Tw6ntXss0nrY5Ko7WzZNgY/i99jWSIDTYxNksULau1SrZE6NHlEMo20O7/Ya1qopdi+vZngLksTMVGO+IpYwqCcKFz8cMGexS5dr8SdUCxtGUHXpuVvjTI0N6OSrhf9javVeHoR27F4twrqvh115eHZu1YlPYETSDHzl7h3WWwAAAIAWfzNMYxUmdrTz5QIS7nsuE6/mL5ORmDa8oCcA3MOn5GcjytwiCsvAkCKFSysGcvIl3zNktd6JSJTv8UKZKBfYK4r+emclEhx7p0ZYe4fapl2WYkI8++BUavpDWfpmCxJeLf47FEPK7jddichcFYZfYKBox/1IaqfntdZ58AP4yg== person@host',
    '2c:a8:4e:a1:cf:7e:fd:e0:06:b7:8c:0b:67:60:ca:93',
  ],
] as const
const [, rsa] = known[0]
const [, ed25519] = known[1]
const [, p256] = known[2]

it.each(known)('takes a key of type %s, with its fingerprint', (_type, publicKey, fingerprint) => {
  expect(importSshKey(publicKey)).toEqual({ publicKey, fingerprint })
  const [type, base64] = publicKey.split(' ')
  for (const text of [`${type} ${base64}`, `${type}\t${base64}`, `${publicKey}\n`, `${type} ${base64} a comment of words`])
    expect(importSshKey(text)).toEqual({ publicKey: text, fingerprint })
})

it('takes keys that lie on a security key', () => {
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes])
  const type = 'sk-ssh-ed25519@openssh.com'
  const blob = Buffer.concat([field(Buffer.from(type)), field(Buffer.alloc(32, 7)), field(Buffer.from('ssh:'))])
  expect(importSshKey(`${type} ${blob.toString('base64')}`).fingerprint).toMatch(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/)
})

const swapType = (key: string, type: string) => [type, key.split(' ')[1]].join(' ')
const cut = (key: string, bytes: number) => {
  const [type, base64] = key.split(' ')
  return `${type} ${Buffer.from(base64!, 'base64').subarray(0, -bytes).toString('base64')}`
}
const extend = (key: string) => {
  const [type, base64] = key.split(' ')
  return `${type} ${Buffer.concat([Buffer.from(base64!, 'base64'), Buffer.alloc(4)]).toString('base64')}`
}
const bend = (key: string) => {
  const [type, base64] = key.split(' ')
  const blob = Buffer.from(base64!, 'base64')
  blob[blob.length - 1]! ^= 1
  return `${type} ${blob.toString('base64')}`
}

it.each([
  ['nothing', ''],
  ['a space', ' '],
  ['junk', 'ssh-rsa JUNK nova@ubuntu'],
  ['no type', 'AAAAB3NzaC1yc2E='],
  ['zeros', `ssh-rsa ${'A'.repeat(2048)} openstack@ubuntu`],
  ['white space in front', ` ${ed25519}`],
  ['another type than it is', swapType(ed25519, 'ssh-rsa')],
  ['a type that nobody knows', swapType(ed25519, 'ssh-unknown')],
  ['a type from the prototype', swapType(ed25519, 'constructor')],
  ['too few bytes', cut(rsa, 1)],
  ['too few bytes', cut(ed25519, 1)],
  ['too many bytes', extend(ed25519)],
  ['a point that is not on its curve', bend(p256)],
  ['an even modulus', bend(rsa)],
  ['a private key', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE=\n-----END OPENSSH PRIVATE KEY-----'],
])('refuses %s: %s', (_what, publicKey) => {
  expect(() => importSshKey(publicKey)).toThrow('Keypair data is invalid: failed to generate fingerprint')
})

it('makes a key whose halves belong together', async () => {
  const { publicKey, fingerprint, privateKey } = await generateSshKey()
  expect(importSshKey(publicKey).fingerprint).toBe(fingerprint)
  expect(publicKey).toMatch(/^ssh-rsa AAAAB3NzaC1yc2E\S+ Generated-by-Nubo$/)
  expect(privateKey).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/)
  const { n } = createPublicKey(createPrivateKey(privateKey!)).export({ format: 'jwk' })
  const blob = Buffer.from(publicKey.split(' ')[1]!, 'base64')
  expect(blob.subarray(-256).toString('base64url')).toBe(n)
})

const clock = { now: () => new Date('2026-11-23T08:00:00Z') } as Clock

it('makes a certificate for clients, and packs it with its key', async () => {
  const { publicKey, fingerprint, privateKey } = await generateCertificate('user-1' as UserId, clock, seededRandom(1))
  const certificate = new X509Certificate(publicKey)
  expect(certificate.subject).toBe('CN=user-1')
  expect(certificate.verify(certificate.publicKey)).toBe(true)
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
  expect(certificate.subjectAltName).toContain('user-1@localhost')
  expect([certificate.validFrom, certificate.validTo]).toEqual(['Nov 23 08:00:00 2026 GMT', 'Nov 20 08:00:00 2036 GMT'])
  expect(fingerprint).toMatch(/^([0-9a-f]{2}:){19}[0-9a-f]{2}$/)
  const pfx = Buffer.from(privateKey!, 'base64')
  expect(() => createSecureContext({ pfx, passphrase: '' })).not.toThrow()
  expect(() => createSecureContext({ pfx, passphrase: 'other' })).toThrow()
})

it('takes certificates in PEM and nothing else', async () => {
  const { publicKey, fingerprint } = await generateCertificate('user-1' as UserId, clock, seededRandom(2))
  expect(importCertificate(publicKey)).toEqual({ publicKey, fingerprint })
  for (const text of ['', 'junk', ed25519, publicKey.replace('MII', 'MIX'), publicKey.slice(0, 200)])
    expect(() => importCertificate(text)).toThrow('Keypair data is invalid: failed to generate X509 fingerprint.')
})
