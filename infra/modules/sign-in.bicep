// The OAuth connection of a bot that signs people in.

import { Names, SignIn } from '../types.bicep'

@description('Required. Names of all resources.')
param names Names

@description('Required. The application that people sign in with.')
param signIn SignIn

@description('Required. The application\'s client secret.')
@secure()
param secret string

resource bot 'Microsoft.BotService/botServices@2022-09-15' existing = {
  name: names.bot
}

resource connection 'Microsoft.BotService/botServices/connections@2022-09-15' = {
  parent: bot
  name: signIn.name
  location: 'global'
  properties: {
    name: signIn.name
    serviceProviderDisplayName: 'Azure Active Directory v2'
    serviceProviderId: '30dd229c-58e3-4a48-bdfd-91ec48eb906c'
    clientId: signIn.clientId
    clientSecret: secret
    scopes: signIn.scopes
    parameters: [
      {
        key: 'tenantID'
        value: signIn.?tenantId ?? tenant().tenantId
      }
      {
        key: 'tokenExchangeUrl'
        value: signIn.?tokenExchangeUrl ?? ''
      }
    ]
  }
}
