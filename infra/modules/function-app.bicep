// The bot itself: a Flex Consumption plan, which holds exactly one app.

import { Names, Tags } from '../types.bicep'

@description('Required. Names of all resources.')
param names Names

@description('Required. Region of the resources.')
param location string

@description('Required. Tags for every resource.')
param tags Tags

@description('Required. Address of the Cosmos DB account of the state.')
param cosmosEndpoint string

@description('Required. Additional host names, comma-separated, that replies may be sent to. May be empty.')
param allowedServiceHosts string

@description('Required. Memory of one instance in MB.')
param instanceMemoryMB int

@description('Required. The most instances that may run at once.')
param maximumInstanceCount int

@description('Required. Instances that are kept warm.')
param alwaysReadyInstances int

@description('Required. Instances that are kept warm for BellFunction.')
param alwaysReadyBellInstances int

@description('Required. When SweepFunction runs.')
param sweepSchedule string

@description('Required. Requests that one instance serves at once.')
param perInstanceConcurrency int

@description('Required. Whether a deployment replaces instances one after the other.')
param rollingUpdates bool

@description('Required. Subnet that the app\'s outgoing connections leave from. Empty: none.')
param subnetId string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.identity
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: names.component
}

resource storageAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: names.storageAccount
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  // checkov:skip=CKV_AZURE_225:instances in several zones are always-ready ones; the plan costs nothing while idle
  name: names.plan
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

var alwaysReady = [
  { name: 'http', instanceCount: alwaysReadyInstances }
  { name: 'function:BellFunction', instanceCount: alwaysReadyBellInstances }
]

resource app 'Microsoft.Web/sites@2025-03-01' = {
  // checkov:skip=CKV_AZURE_17:the Bot Connector presents a signed token, not a client certificate
  // checkov:skip=CKV_AZURE_78:Flex Consumption has no FTP and refuses ftpsState
  // checkov:skip=CKV_AZURE_212:instances come and go with the load
  // checkov:skip=CKV_AZURE_213:Flex Consumption replaces instances by itself and has no health check path
  // checkov:skip=CKV_AZURE_222:the channels call from the internet, and every call is authenticated
  name: names.app
  location: location
  tags: union(tags, { 'azd-service-name': 'bot' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    // The channels call from the internet; the token check is the door.
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storageAccount.properties.primaryEndpoints.blob}${names.deploymentContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      #disable-next-line BCP037 // a preview property, which the types do not have yet
      siteUpdateStrategy: {
        type: rollingUpdates ? 'RollingUpdate' : 'Recreate'
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: filter(alwaysReady, group => group.instanceCount > 0)
        triggers: {
          http: {
            // Without it Python serves one request at a time on each instance.
            perInstanceConcurrency: perInstanceConcurrency
          }
        }
      }
    }
    siteConfig: {
      http20Enabled: true
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      appSettings: [
        { name: 'MicrosoftAppType', value: 'UserAssignedMSI' }
        { name: 'MicrosoftAppId', value: identity.properties.clientId }
        { name: 'MicrosoftAppTenantId', value: identity.properties.tenantId }
        { name: 'CosmosDbEndpoint', value: cosmosEndpoint }
        { name: 'CosmosDbDatabaseId', value: names.cosmosDatabase }
        { name: 'CosmosDbContainerId', value: names.cosmosContainer }
        { name: 'AllowedServiceHosts', value: allowedServiceHosts }
        { name: 'SweepSchedule', value: sweepSchedule }
        // The runtime's own storage, with the identity in place of a connection string.
        { name: 'AzureWebJobsStorage__blobServiceUri', value: storageAccount.properties.primaryEndpoints.blob }
        { name: 'AzureWebJobsStorage__queueServiceUri', value: storageAccount.properties.primaryEndpoints.queue }
        { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
        { name: 'AzureWebJobsStorage__clientId', value: identity.properties.clientId }
        // Says where telemetry goes. It opens nothing: the component accepts identities only.
        { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: component.properties.ConnectionString }
        {
          name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
          value: 'ClientId=${identity.properties.clientId};Authorization=AAD'
        }
      ]
    }
  }
}

// Publishing takes a Microsoft Entra token; user names and passwords are off.
resource noScmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

@description('Where the channels send their messages.')
output messagesEndpoint string = 'https://${app.properties.defaultHostName}/api/messages'
