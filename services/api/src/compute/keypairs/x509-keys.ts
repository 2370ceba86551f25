import { webcrypto, X509Certificate } from 'node:crypto'
import { CloudError, type Clock, type Random, type UserId } from '@nubo/kernel'
import * as asn1js from 'asn1js'
import * as pkijs from 'pkijs'
import type { KeyMaterial } from './ssh-keys.js'

// Keypairs for WinRM, as Nova makes them (`nova/crypto.py`, generate_winrm_x509_cert): the 'public key' is a certificate for
// clients with the user's name, the 'private key' a PKCS #12 of both with an empty password, in base64.

const lifetimeDays = 3650
const millisecondsADay = 86_400_000
const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }
const engine = new pkijs.CryptoEngine({ crypto: webcrypto })

/** Checks a certificate in PEM. Throws Invalid. */
export function importCertificate(pem: string): KeyMaterial {
  try {
    if (!/^\s*-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----/.test(pem)) throw new Error('It is not in PEM.')
    return { publicKey: pem, fingerprint: new X509Certificate(pem).fingerprint.toLowerCase() }
  } catch (error) {
    const message = 'Keypair data is invalid: failed to generate X509 fingerprint. Error message: it is no certificate in PEM.'
    throw new CloudError('Invalid', message, { cause: error })
  }
}

/** A new key of 2048 bits and its certificate for ten years. Made off the event loop. */
export async function generateCertificate(userId: UserId, clock: Clock, random: Random): Promise<KeyMaterial> {
  const keys = await webcrypto.subtle.generateKey(rsa, true, ['sign', 'verify'])
  const certificate = await certify(keys, userId, clock.now(), random)
  const der = Buffer.from(certificate.toSchema(true).toBER())
  const pem = `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
  const privateKey = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { ...importCertificate(pem), privateKey: await pack(certificate, privateKey) }
}

const commonNameOid = '2.5.4.3'
const extendedKeyUsageOid = '2.5.29.37'
const clientAuthenticationOid = '1.3.6.1.5.5.7.3.2'
const alternativeNameOid = '2.5.29.17'
/** Windows' user principal name. */
const principalNameOid = '1.3.6.1.4.1.311.20.2.3'

async function certify(keys: webcrypto.CryptoKeyPair, userId: UserId, now: Date, random: Random): Promise<pkijs.Certificate> {
  const serial = random.bytes(16)
  // Positive, and never zero.
  serial[0] = (serial[0]! & 0x7f) | 0x40
  const name = new pkijs.AttributeTypeAndValue({ type: commonNameOid, value: new asn1js.Utf8String({ value: userId }) })
  const certificate = new pkijs.Certificate({
    version: 2,
    serialNumber: new asn1js.Integer({ valueHex: new Uint8Array(serial) }),
    extensions: [clientsOnly(), principalName(`${userId}@localhost`)],
  })
  certificate.issuer.typesAndValues.push(name)
  certificate.subject.typesAndValues.push(name)
  certificate.notBefore = time(now)
  certificate.notAfter = time(new Date(now.getTime() + lifetimeDays * millisecondsADay))
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey, engine)
  await certificate.sign(keys.privateKey, 'SHA-256', engine)
  return certificate
}

/** Until 2049 with two digits of the year, then with four (RFC 5280, 4.1.2.5). */
const time = (value: Date) => new pkijs.Time({ type: value.getUTCFullYear() < 2050 ? 0 : 1, value })

function clientsOnly(): pkijs.Extension {
  const usage = new pkijs.ExtKeyUsage({ keyPurposes: [clientAuthenticationOid] })
  return new pkijs.Extension({ extnID: extendedKeyUsageOid, extnValue: usage.toSchema().toBER() })
}

/** A GeneralNames of one otherName (RFC 5280, 4.2.1.6). */
function principalName(name: string): pkijs.Extension {
  const value = new asn1js.Constructed({
    idBlock: { tagClass: 3, tagNumber: 0 },
    value: [new asn1js.Utf8String({ value: name })],
  })
  const otherName = new asn1js.Constructed({
    idBlock: { tagClass: 3, tagNumber: 0 },
    value: [new asn1js.ObjectIdentifier({ value: principalNameOid }), value],
  })
  return new pkijs.Extension({ extnID: alternativeNameOid, extnValue: new asn1js.Sequence({ value: [otherName] }).toBER() })
}

const keyBagOid = '1.2.840.113549.1.12.10.1.1'
const certificateBagOid = '1.2.840.113549.1.12.10.1.3'

/**
 * PKCS #12 with an empty password, as everything that reads it expects. It protects nothing, so the key lies in it as it is:
 * that is read by the oldest of them too.
 */
async function pack(certificate: pkijs.Certificate, privateKey: ArrayBuffer): Promise<string> {
  const bags = [
    new pkijs.SafeBag({ bagId: keyBagOid, bagValue: pkijs.PrivateKeyInfo.fromBER(privateKey) }),
    new pkijs.SafeBag({ bagId: certificateBagOid, bagValue: new pkijs.CertBag({ parsedValue: certificate }) }),
  ]
  const content = { privacyMode: 0, value: new pkijs.SafeContents({ safeBags: bags }) }
  const safe = new pkijs.AuthenticatedSafe({ parsedValue: { safeContents: [content] } })
  await safe.makeInternalValues({ safeContents: [{}] }, engine)
  const box = new pkijs.PFX({ parsedValue: { integrityMode: 0, authenticatedSafe: safe } })
  const sealing = { password: new ArrayBuffer(0), iterations: 1, pbkdf2HashAlgorithm: 'SHA-256', hmacHashAlgorithm: 'SHA-256' }
  await box.makeInternalValues(sealing, engine)
  return Buffer.from(box.toSchema().toBER()).toString('base64')
}
