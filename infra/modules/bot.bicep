// The registration with Azure Bot Service, and the channels that people reach the bot in.

import { Names, Tags } from '../types.bicep'

@description('Required. Names of all resources.')
param names Names

@description('Required. Tags for every resource.')
param tags Tags

@description('Required. What people see the bot called.')
param displayName string

@description('Required. Pricing tier of the premium channels, Web Chat and Direct Line.')
@allowed(['F0', 'S1'])
param skuName string

@description('Required. Where the channels send their messages.')
param endpoint string

@description('Required. Whether people reach the bot in Microsoft Teams.')
param teamsEnabled bool

@description('Required. Whether people reach the bot in Web Chat.')
param webChatEnabled bool

@description('Required. Whether other applications reach the bot over Direct Line.')
param directLineEnabled bool

@description('Required. Whether secrets open Direct Line and Web Chat.')
param localAuthEnabled bool

@description('Required. Origins of the web pages that embed the bot. Empty: enhanced authentication is off.')
param trustedOrigins string[]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: names.workspace
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.identity
}

resource bot 'Microsoft.BotService/botServices@2022-09-15' = {
  name: names.bot
  location: 'global'
  tags: tags
  kind: 'azurebot'
  sku: {
    name: skuName
  }
  properties: {
    displayName: displayName
    endpoint: endpoint
    msaAppType: 'UserAssignedMSI'
    msaAppId: identity.properties.clientId
    msaAppTenantId: identity.properties.tenantId
    msaAppMSIResourceId: identity.id
    disableLocalAuth: !localAuthEnabled
    publicNetworkAccess: 'Enabled'
    schemaTransformationVersion: '1.3'
  }
}

resource teams 'Microsoft.BotService/botServices/channels@2022-09-15' = if (teamsEnabled) {
  parent: bot
  name: 'MsTeamsChannel'
  location: 'global'
  properties: {
    channelName: 'MsTeamsChannel'
    properties: {
      isEnabled: true
      acceptedTerms: true
      enableCalling: false
    }
  }
}

// Azure gives a new bot these two channels by itself, so being off has to be said.
resource webChat 'Microsoft.BotService/botServices/channels@2022-09-15' = {
  parent: bot
  name: 'WebChatChannel'
  location: 'global'
  properties: {
    channelName: 'WebChatChannel'
    properties: {
      sites: [
        {
          siteName: 'Default Site'
          isEnabled: webChatEnabled
          isSecureSiteEnabled: !empty(trustedOrigins)
          trustedOrigins: trustedOrigins
        }
      ]
    }
  }
}

// Azure makes its secrets. They open nothing while local authentication is off, and are never handed out from here.
resource directLine 'Microsoft.BotService/botServices/channels@2022-09-15' = {
  parent: bot
  name: 'DirectLineChannel'
  location: 'global'
  properties: {
    channelName: 'DirectLineChannel'
    properties: {
      sites: [
        {
          siteName: 'Default Site'
          isEnabled: directLineEnabled
          isV1Enabled: false
          isV3Enabled: true
          isSecureSiteEnabled: !empty(trustedOrigins)
          trustedOrigins: trustedOrigins
        }
      ]
    }
  }
}

#disable-next-line use-recent-api-versions // the stable version has no categories
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: bot
  properties: {
    workspaceId: workspace.id
    logs: [
      {
        // What the channels sent and what they made of the answer: the only view of the bot from outside.
        category: 'BotRequest'
        enabled: true
      }
    ]
  }
}
