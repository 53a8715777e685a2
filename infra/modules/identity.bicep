// Who the bot is: towards the Bot Connector, the state, the storage account and the telemetry.

@description('Required. The hash that makes names unique.')
@minLength(13)
@maxLength(13)
param token string

@description('Required. Region of the resources.')
param location string

@description('Required. Tags for every resource.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${token}'
  location: location
  tags: tags
}

@description('Name of the identity.')
output name string = identity.name

@description('Object id that roles are assigned to.')
output principalId string = identity.properties.principalId

@description('Application id: what MicrosoftAppId is set to, and what channels know the bot by.')
output clientId string = identity.properties.clientId
