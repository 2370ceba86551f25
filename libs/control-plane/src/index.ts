export { controlPlaneConfiguration, imageCredentialConfiguration, type ControlPlaneConfiguration } from './configuration.js'
export { ControlPlaneModule } from './control-plane.module.js'
export { Presence } from './presence.js'
export * from './tokens.js'
