import { createPrivateKey, type KeyObject } from 'node:crypto'
import { CloudError, isUuid, type Clock, type HostId, type ImageId } from '@nubo/kernel'
import { CompactSign, compactVerify } from 'jose'

const algorithm = 'EdDSA'
/** Of another type than a token, so that neither passes for the other even where one key signed both. */
const type = 'nubo-image-credential'
const audience = 'image-bytes'

/** What an image credential lets its bearer do: fetch the bytes of this image, until then. */
export interface ImageGrant {
  imageId: ImageId
  /** The host it was made for; for the log of the image service. */
  hostId: HostId
  expiresAtMs: number
}

interface Claims {
  aud: string
  image_id: string
  host: string
  /** Seconds (RFC 7519). */
  exp: number
}

/** Makes the credentials that hosts fetch images with: compact JWS with EdDSA. Only the conductor has one. */
export class ImageCredentialSigner {
  private readonly key: KeyObject

  /** @param privateKeyPem PKCS #8, Ed25519 */
  constructor(privateKeyPem: string) {
    this.key = createPrivateKey(privateKeyPem)
    if (this.key.asymmetricKeyType !== 'ed25519') throw new Error('The key of image credentials is no Ed25519 key')
  }

  sign(grant: ImageGrant): Promise<string> {
    const claims: Claims = { aud: audience, image_id: grant.imageId, host: grant.hostId, exp: grant.expiresAtMs / 1000 }
    return new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader({ alg: algorithm, typ: type }).sign(this.key)
  }
}

/** Far beyond any credential of ours: what is longer is refused unread. */
const maxCredentialCharacters = 2_048

const unauthenticated = (cause?: unknown) =>
  new CloudError('Unauthenticated', 'The image credential is not valid.', cause === undefined ? {} : { cause })

/** Checks the credentials of hosts with the public key alone. */
export class ImageCredentialVerifier {
  constructor(
    private readonly publicKey: KeyObject,
    private readonly clock: Clock,
  ) {}

  /** What `credential` grants. Rejects with Unauthenticated where it is forged, expired or no image credential. */
  async verify(credential: string): Promise<ImageGrant> {
    if (credential.length > maxCredentialCharacters) throw unauthenticated()
    const claims = await this.checkSignature(credential)
    const sound = claims?.aud === audience && isUuid(claims.image_id) && typeof claims.host === 'string'
    if (!sound || !(this.clock.now().getTime() < claims.exp * 1000)) throw unauthenticated()
    return { imageId: claims.image_id as ImageId, hostId: claims.host as HostId, expiresAtMs: Math.round(claims.exp * 1000) }
  }

  private async checkSignature(credential: string): Promise<Claims | null> {
    try {
      const { payload, protectedHeader } = await compactVerify(credential, this.publicKey, { algorithms: [algorithm] })
      if (protectedHeader.typ === type) return JSON.parse(Buffer.from(payload).toString()) as Claims | null
    } catch (cause) {
      throw unauthenticated(cause)
    }
    throw unauthenticated()
  }
}
