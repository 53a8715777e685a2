// Who the bot is: towards the Bot Connector, the state, the storage account and the telemetry.

import { Names, Tags } from '../types.bicep'

@description('Required. Names of all resources.')
param names Names

@description('Required. Region of the resources.')
param location string

@description('Required. Tags for every resource.')
param tags Tags

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: names.identity
  location: location
  tags: tags
}

@description('Object id that roles are assigned to.')
output principalId string = identity.properties.principalId

@description('Application id: what MicrosoftAppId is set to, and what channels know the bot by.')
output clientId string = identity.properties.clientId
