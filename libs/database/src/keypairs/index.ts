export { findKeypair, keypairRowColumns, type KeypairRow } from './find-keypair.js'
export { countKeypairs, deleteKeypair, insertKeypair, listKeypairs, type KeypairRefusal, type NewKeypair } from './keypairs.js'
