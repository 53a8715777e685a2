// What the Functions runtime needs: the deployed package, its locks and its keys, and the queue of the bells. The bot
// keeps no state and no text here.

import { Names, Tags } from '../types.bicep'

@description('Required. Names of all resources.')
param names Names

@description('Required. Region of the resources.')
param location string

@description('Required. Tags for every resource.')
param tags Tags

@description('Required. Whether the account answers outside of its private endpoint.')
param publicAccess bool

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: names.workspace
}

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  // checkov:skip=CKV_AZURE_35:closed by the networkAccess parameter; the scan does not evaluate conditions
  // checkov:skip=CKV_AZURE_43:the name is st and a hash of 13 lower-case letters and digits, which the scan does not evaluate
  // checkov:skip=CKV_AZURE_206:holds nothing that a deployment would not bring back
  name: names.storageAccount
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: publicAccess ? 'Allow' : 'Deny'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    // A package that was overwritten or deleted by mistake can be had back for a week.
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource deployments 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: names.deploymentContainer
  properties: {
    publicAccess: 'None'
  }
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource bells 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = {
  parent: queueService
  name: names.bells
}

// The runtime would make this one itself, too late for the right to write to it.
resource poisonedBells 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = {
  parent: queueService
  name: names.poisonedBells
}

#disable-next-line use-recent-api-versions // the stable version has no categories
resource queueDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: queueService
  properties: {
    workspaceId: workspace.id
    logs: [
      {
        // A bell in the poison queue is a fault, and only this log says that there is one. Only slow turns ring.
        category: 'StorageWrite'
        enabled: true
      }
    ]
  }
}

#disable-next-line use-recent-api-versions // the stable version has no categories
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: blobs
  properties: {
    workspaceId: workspace.id
    logs: [
      {
        // Who deleted a package. Reads and writes are left out: nearly all of them are the runtime's own locks.
        category: 'StorageDelete'
        enabled: true
      }
    ]
  }
}
